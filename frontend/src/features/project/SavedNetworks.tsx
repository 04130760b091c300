import { ActionIcon, Button, Group, Text, TextInput, Tooltip, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { FolderOpen, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import type { NetworkSummary } from "@/api/types";
import { useLanguage } from "@/i18n";
import { useText } from "@/i18n/whole";
import { Empty, ErrorNotice, ListSkeleton, NoHits } from "@/ui/States";
import { toast, useErrorToast } from "@/ui/Toasts";
import { useOpening } from "./opening";
import { openNetwork } from "./project";
import { RoamingField } from "./RoamingField";
import styles from "./SavedNetworks.module.css";
import { useProject } from "./store";
import { deleteStored, isOpenElsewhere, LONGEST_NAME, named, networksQuery, renameStored } from "./stored";
import { useLeave } from "./useLeave";
import { useRoaming } from "./useRoaming";

/** So many rows are drawn at first. */
const SHOWN = 100;

/** Every network that the service has. Arrow keys go from the field to the rows; F2 renames one and Delete deletes it. */
export function SavedNetworks({ onClose }: { onClose: () => void }) {
  const t = useText().networks;
  const leave = useLeave();
  const [shown, setShown] = useState(SHOWN);
  const { data, error, refetch } = useQuery(networksQuery);
  const open = ({ id }: NetworkSummary) => void leave(() => openNetwork(id), onClose);
  const { query, clear, list, field, fromCard } = useRoaming("[data-network]", () => fitting[0] && open(fitting[0]));
  const fitting = named(data ?? [], query);
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (data?.length === 0) return <NothingSaved />;
  // The field is there before the rows are, to be typed into at once.
  return (
    <div data-search>
      <RoamingField field={field} label={t.search} sticky />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the rows inside are buttons; this hears their arrow keys */}
      <div ref={list} className={styles.list} onKeyDown={fromCard}>
        {fitting.slice(0, shown).map((network) => (
          <Row
            key={network.id}
            network={network}
            onOpen={() => open(network)}
            // What had the focus is gone.
            onDeleted={() => field.ref.current?.focus()}
          />
        ))}
      </div>
      {fitting.length > shown && (
        <Button variant="subtle" size="xs" fullWidth mt={4} onClick={() => setShown(shown + SHOWN)}>
          {t.more(Math.min(SHOWN, fitting.length - shown))}
        </Button>
      )}
      {!data && <ListSkeleton rows={4} height={44} />}
      {data && fitting.length === 0 && <NoHits onClear={clear}>{t.noHit(query)}</NoHits>}
    </div>
  );
}

function NothingSaved() {
  const t = useText().editor.project;
  return (
    <Empty
      icon={<FolderOpen size={24} aria-hidden />}
      title={t.noNetworks}
      actions={
        <Button variant="light" onClick={() => useOpening.setState({ way: "examples" })}>
          {t.toExamples}
        </Button>
      }
    >
      {t.noNetworksHint}
    </Empty>
  );
}

type RowProps = { network: NetworkSummary; onOpen: () => void; onDeleted: () => void };

/** `back` is a row that was renamed or asked about by keyboard and takes the focus again. */
type Mode = "row" | "back" | "naming" | "asking";

function Row({ network, onOpen, onDeleted }: RowProps) {
  const { networks: t, editor } = useText();
  const [mode, setMode] = useState<Mode>("row");
  const name = network.name || editor.project.untitled;
  if (mode === "naming") return <Naming network={network} onEnd={setMode} />;
  if (mode === "asking") return <Asking id={network.id} name={name} onEnd={() => setMode("back")} onDone={onDeleted} />;
  const actions = [
    { label: t.rename(name), keys: "F2", Icon: Pencil, run: () => setMode("naming") },
    { label: t.delete(name), keys: "Delete", Icon: Trash2, run: () => setMode("asking") },
  ];
  return (
    <div className={styles.row}>
      <UnstyledButton
        className={styles.network}
        data-network={network.id}
        autoFocus={mode === "back"}
        aria-keyshortcuts={actions.map(({ keys }) => keys).join(" ")}
        onClick={onOpen}
        onKeyDown={(event) => {
          const action = actions.find(({ keys }) => keys === event.key);
          if (!action) return;
          event.preventDefault();
          action.run();
        }}
      >
        <Text component="span" fw={550} size="sm" truncate>
          {name}
        </Text>
        <Facts network={network} />
      </UnstyledButton>
      {actions.map(({ label, keys, Icon, run }) => (
        <Tooltip key={keys} label={`${label} (${keys})`}>
          <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={run}>
            <Icon size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}

function Facts({ network: { id, revision, updated_at } }: { network: NetworkSummary }) {
  const { project: t, versions } = useText().editor;
  const language = useLanguage((state) => state.language);
  const open = useProject((state) => state.network === id);
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <Text component="span" size="xs" c="dimmed" className={styles.facts}>
      {open && <span className={styles.open}>{versions.now}</span>}
      {t.revision(revision)} · {when.format(updated_at * 1000)}
    </Text>
  );
}

const choose = (input: HTMLInputElement | null) => input?.select();

/** The name, to be typed where it stands: Enter keeps it, Escape drops it. */
function Naming({ network, onEnd }: { network: NetworkSummary; onEnd: (mode: Mode) => void }) {
  const { networks: t, editor } = useText();
  const complain = useErrorToast();
  const [name, setName] = useState(network.name);
  const [busy, setBusy] = useState(false);
  const keep = async (then: Mode) => {
    const wanted = name.trim();
    if (busy || !wanted || wanted === network.name) return onEnd(then);
    setBusy(true);
    await renameStored(network.id, wanted, ({ editor: it }) => it.steps.rename(network.name, wanted)).catch(complain);
    onEnd(then);
  };
  return (
    <TextInput
      value={name}
      ref={choose}
      aria-label={t.newName(network.name || editor.project.untitled)}
      maxLength={LONGEST_NAME}
      readOnly={busy}
      onChange={(event) => setName(event.currentTarget.value)}
      onBlur={() => void keep("row")}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === "Enter") void keep("back");
        if (event.key === "Escape") onEnd("back");
      }}
      // Escape then gives up the name, and leaves the dialog open.
      data-mantine-stop-propagation
      autoComplete="off"
      spellCheck={false}
    />
  );
}

type AskingProps = { id: string; name: string; onEnd: () => void; onDone: () => void };

/** Asks before a network is deleted, by its name, and says what becomes of it where it is open. */
function Asking({ id, name, onEnd, onDone }: AskingProps) {
  const { networks: t, common } = useText();
  const complain = useErrorToast();
  const [busy, setBusy] = useState(false);
  const here = useProject((state) => state.network === id);
  const { data: elsewhere } = useQuery({
    queryKey: ["open elsewhere", id],
    queryFn: () => isOpenElsewhere(id),
    staleTime: 0,
    gcTime: 0,
  });
  const remove = async () => {
    setBusy(true);
    try {
      await deleteStored(id);
      toast(t.deleted(name), here ? t.deletedOpen : undefined);
      onDone();
    } catch (error) {
      complain(error);
      onEnd();
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has no place in a list of buttons
    <div role="group" className={styles.asking} aria-label={t.deleteTitle(name)} data-testid="delete-network">
      <div>
        <Text size="sm" fw={550} className={styles.asked}>
          {t.deleteTitle(name)}
        </Text>
        {[t.deleteBody, here && t.deleteOpen, elsewhere && t.deleteElsewhere].map(
          (line) =>
            line && (
              <Text key={line} size="xs" c="dimmed">
                {line}
              </Text>
            ),
        )}
      </div>
      <Group
        gap="xs"
        wrap="nowrap"
        onKeyDown={(event) => {
          if (event.key === "Escape") onEnd();
        }}
      >
        <Button size="xs" variant="default" onClick={onEnd} autoFocus data-mantine-stop-propagation>
          {common.actions.cancel}
        </Button>
        <Button size="xs" color="red" loading={busy} onClick={() => void remove()} data-mantine-stop-propagation>
          {common.actions.delete}
        </Button>
      </Group>
    </div>
  );
}
