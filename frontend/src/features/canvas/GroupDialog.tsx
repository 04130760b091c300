import { Button, Checkbox, Group, Modal, SegmentedControl, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useText } from "@/i18n";
import { alike, offers } from "@/model/alike";
import { extractRefused } from "@/model/extract";
import { type GroupKind, groupName, groupRefused } from "@/model/group";
import { namesIn } from "@/model/members";
import { nameFault, unique } from "@/model/names";
import type { Block } from "@/model/types";
import styles from "./GroupDialog.module.css";
import { groupAs, makeBlock, numberByDefault } from "./restructuring";
import { here } from "./selected";
import { useCanvas } from "./state";
import { CONTAINERS } from "./things";

const close = () => useCanvas.setState({ dialog: null });

type Kind = GroupKind | "block";
const KINDS: readonly Kind[] = [...CONTAINERS, "block"];

/** Asks which container or block the selection becomes, and what it is called. */
export function GroupDialog() {
  const t = useText().editor;
  const opened = useCanvas((state) => state.dialog === "group");
  return (
    <Modal opened={opened} onClose={close} title={t.group.title} size="md" data-testid="group-dialog">
      {opened && <Form />}
    </Modal>
  );
}

/** What becomes of a selection, and of every place that is built like it, as a class. */
function useNumbers(its: Block, nodeIds: readonly string[], wanted: boolean) {
  const found = useMemo(() => (wanted ? alike(its, nodeIds, numberByDefault) : null), [its, nodeIds, wanted]);
  const [everywhere, setEverywhere] = useState(true);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const uses = (everywhere ? found?.uses : found?.uses.slice(0, 1)) ?? [];
  const reserved = its.arguments.map((it) => it.name);
  const all = found ? offers({ uses, sites: found.sites }, reserved, numberByDefault) : [];
  return {
    others: Math.max(0, (found?.uses.length ?? 0) - 1),
    everywhere,
    setEverywhere,
    uses,
    all,
    chosen: all.filter((offer) => offer.differs || chosen.includes(offer.name)),
    toggle: (name: string) => setChosen(chosen.includes(name) ? chosen.filter((it) => it !== name) : [...chosen, name]),
  };
}

function Numbers({ numbers }: { numbers: ReturnType<typeof useNumbers> }) {
  const t = useText().editor.group;
  const { all, chosen, uses, others } = numbers;
  return (
    <>
      {others > 0 && (
        <Switch
          label={t.everywhere(others)}
          description={t.everywhereHint}
          checked={numbers.everywhere}
          onChange={(event) => numbers.setEverywhere(event.currentTarget.checked)}
        />
      )}
      {all.length > 0 && (
        <fieldset className={styles.numbers}>
          <legend>{t.arguments}</legend>
          <p>{t.argumentsHint}</p>
          {all.map((offer) => {
            const [site] = offer.sites;
            const head = uses[0]?.heads[site?.head ?? 0] ?? "";
            return (
              <Checkbox
                key={offer.name}
                label={<code>{offer.name}</code>}
                description={`${head}${site?.inside ? `.${site.inside}` : ""} · ${[...new Set(offer.values)].join(", ")}`}
                checked={chosen.includes(offer)}
                disabled={offer.differs}
                onChange={() => numbers.toggle(offer.name)}
              />
            );
          })}
        </fieldset>
      )}
    </>
  );
}

function Form() {
  const { editor: t, common } = useText();
  const { doc, its, nodeIds } = here();
  const refusal = (of: Kind) => (of === "block" ? extractRefused(its, nodeIds) : groupRefused(its, nodeIds, of));
  const [kind, setKind] = useState<Kind>(() => KINDS.find((it) => refusal(it) === null) ?? "sequential");
  const [name, setName] = useState<string | null>(null);
  const [keepNames, setKeepNames] = useState(false);
  const refused = refusal(kind);
  const taken = kind === "block" ? new Set(Object.keys(doc.blocks)) : namesIn(its, "");
  const shown = name ?? (kind === "block" ? unique("Block", taken) : groupName(its, kind));
  const numbers = useNumbers(its, nodeIds, kind === "block");
  const fault = nameFault(shown);
  const wrong = fault ? t.names[fault] : taken.has(shown) ? t.names.taken : null;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (refused || wrong) return;
        close();
        if (kind === "block") makeBlock(t, shown, numbers.uses, numbers.chosen);
        else groupAs(kind, t, { name: shown, keepNames });
      }}
    >
      <Stack gap="md">
        <SegmentedControl
          size="xs"
          value={kind}
          onChange={(value) => setKind(value as Kind)}
          data={KINDS.map((value) => ({ value, label: t.structure[value].label }))}
          aria-label={t.group.kind}
          fullWidth
        />
        <Text size="sm" c={refused ? "var(--ll-bad)" : "dimmed"} role={refused ? "alert" : undefined}>
          {refused
            ? t.group.reasons[refused]
            : kind === "block"
              ? t.structure.new_block.summary
              : t.structure[kind].summary}
        </Text>
        <TextInput
          label={kind === "block" ? t.inspector.className : t.group.name}
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
        {kind === "block" && !refused && <Numbers numbers={numbers} />}
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
