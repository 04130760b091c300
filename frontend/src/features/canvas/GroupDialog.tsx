import { Button, Group, Modal, SegmentedControl, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useText } from "@/i18n";
import { type GroupKind, groupName, groupRefused } from "@/model/group";
import { namesIn } from "@/model/members";
import { isName } from "@/model/names";
import { groupAs, here } from "./commands";
import { useCanvas } from "./state";
import { CONTAINERS } from "./things";

const close = () => useCanvas.setState({ dialog: null });

/** Asks which container the selection becomes, and what it is called. */
export function GroupDialog() {
  const t = useText().editor;
  const opened = useCanvas((state) => state.dialog === "group");
  return (
    <Modal opened={opened} onClose={close} title={t.group.title} size="sm" data-testid="group-dialog">
      {opened && <Form />}
    </Modal>
  );
}

function Form() {
  const { editor: t, common } = useText();
  const { its, nodeIds } = here();
  const [kind, setKind] = useState<GroupKind>(groupRefused(its, nodeIds, "sequential") ? "module_list" : "sequential");
  const [name, setName] = useState<string | null>(null);
  const [keepNames, setKeepNames] = useState(false);
  const refused = groupRefused(its, nodeIds, kind);
  const shown = name ?? groupName(its, kind);
  const wrong = !isName(shown) ? t.names.invalid : namesIn(its, "").has(shown) ? t.names.taken : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (refused || wrong) return;
        close();
        groupAs(kind, t, { name: shown, keepNames });
      }}
    >
      <Stack gap="md">
        <SegmentedControl
          value={kind}
          onChange={(value) => setKind(value as GroupKind)}
          data={CONTAINERS.map((value) => ({ value, label: t.structure[value].label }))}
          aria-label={t.group.kind}
          fullWidth
        />
        <Text size="sm" c={refused ? "var(--ll-bad)" : "dimmed"} role={refused ? "alert" : undefined}>
          {refused ? t.group.reasons[refused] : t.structure[kind].summary}
        </Text>
        <TextInput
          label={t.group.name}
          value={shown}
          error={wrong}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
          spellCheck={false}
          autoComplete="off"
        />
        {kind === "sequential" && (
          <Switch
            label={t.group.keepNames}
            description={t.group.keepNamesHint}
            checked={keepNames}
            onChange={(event) => setKeepNames(event.currentTarget.checked)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {common.actions.cancel}
          </Button>
          <Button type="submit" disabled={refused !== null || wrong !== null} data-testid="group-apply">
            {t.group.apply}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
