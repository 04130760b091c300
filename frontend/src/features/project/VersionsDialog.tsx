import { Button, Group, Modal, ScrollArea, Switch, Text, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { History, RotateCcw } from "lucide-react";
import { useState } from "react";
import type { Revision } from "@/api/types";
import { useCanvas } from "@/features/canvas/state";
import { type Texts, useLanguage, useText } from "@/i18n";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { toast, useErrorToast } from "@/ui/Toasts";
import { useProject } from "./store";
import styles from "./Versions.module.css";
import { goBack, keepVersion, nameVersion, versionsQuery } from "./versions";

const close = () => useCanvas.setState({ dialog: null });

/** What was saved before: each version can be named, to find it again, and gone back to. */
export function VersionsDialog() {
  const t = useText().editor.versions;
  const opened = useCanvas((state) => state.dialog === "versions");
  return (
    <Modal opened={opened} onClose={close} title={t.title} size={620} data-testid="versions-dialog">
      {opened && <Content />}
    </Modal>
  );
}

function Content() {
  const t = useText().editor.versions;
  const [labelled, setLabelled] = useState(false);
  return (
    <>
      <NameNow />
      <Group justify="flex-end" my="sm">
        <Switch
          size="xs"
          label={t.labelledOnly}
          checked={labelled}
          onChange={(event) => setLabelled(event.currentTarget.checked)}
        />
      </Group>
      <Versions labelled={labelled} />
      <Text size="xs" c="dimmed" mt="sm">
        {t.thinned}
      </Text>
    </>
  );
}

/** A name for what is on the screen. */
function NameNow() {
  const { versions: t, project } = useText().editor;
  const complain = useErrorToast();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const keep = async () => {
    setBusy(true);
    try {
      if (await keepVersion(name.trim())) setName("");
      else toast(project.savedStates.failed, project.savedHints.failed);
    } catch (error) {
      complain(error);
    }
    setBusy(false);
  };
  return (
    <form
      className={styles.now}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim() && !busy) void keep();
      }}
    >
      <TextInput
        label={t.name}
        placeholder={t.placeholder}
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
        autoComplete="off"
      />
      <Button type="submit" loading={busy} disabled={name.trim() === ""}>
        {t.keep}
      </Button>
    </form>
  );
}

function Versions({ labelled }: { labelled: boolean }) {
  const t = useText().editor.versions;
  const network = useProject((state) => state.network);
  const revision = useProject((state) => state.revision);
  const found = useInfiniteQuery(versionsQuery(network, revision, labelled));
  const rows = found.data?.pages.flat() ?? [];
  if (network === null) return <Nothing title={t.none} hint={t.noneHint} />;
  if (found.error) return <ErrorNotice error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <ListSkeleton rows={4} height={44} />;
  if (rows.length === 0) return <Nothing title={t.noneLabelled} hint={t.noneLabelledHint} />;
  return (
    <ScrollArea.Autosize mah="50vh" type="auto">
      <ol className={styles.list}>
        {rows.map((row) => (
          <Version key={row.revision} network={network} version={row} now={row.revision === revision} />
        ))}
      </ol>
      {found.hasNextPage && (
        <Button
          variant="subtle"
          size="xs"
          fullWidth
          loading={found.isFetchingNextPage}
          onClick={() => void found.fetchNextPage()}
        >
          {t.older}
        </Button>
      )}
    </ScrollArea.Autosize>
  );
}

function Nothing({ title, hint }: { title: string; hint: string }) {
  return (
    <Empty icon={<History size={24} aria-hidden />} title={title}>
      {hint}
    </Empty>
  );
}

const nameIn = ({ label, revision }: Revision, { editor }: Pick<Texts, "editor">): string =>
  label || editor.project.revision(revision);

function Version({ network, version, now }: { network: string; version: Revision; now: boolean }) {
  const { editor } = useText();
  const t = editor.versions;
  const complain = useErrorToast();
  const language = useLanguage((state) => state.language);
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
  const called = nameIn(version, { editor });
  const back = async () => {
    try {
      await goBack(network, version, (words) => words.editor.steps.goBack(nameIn(version, words)));
      close();
      toast(t.restored(called), t.restoredHint);
    } catch (error) {
      complain(error);
    }
  };
  return (
    <li className={styles.version} data-version={version.revision} data-now={now || undefined}>
      <div className={styles.what}>
        <Label network={network} version={version} called={called} />
        <Text size="xs" c="dimmed">
          {[editor.project.revision(version.revision), when.format(version.saved_at * 1000)].join(" · ")}
        </Text>
      </div>
      {now ? (
        <span className={styles.mark}>{t.now}</span>
      ) : (
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<RotateCcw size={12} aria-hidden />}
          onClick={() => void back()}
        >
          {t.goBack}
        </Button>
      )}
    </li>
  );
}

/** The name of a version, to be typed where it stands. */
function Label({ network, version, called }: { network: string; version: Revision; called: string }) {
  const t = useText().editor.versions;
  const complain = useErrorToast();
  const [draft, setDraft] = useState<string | null>(null);
  const commit = () => {
    const next = draft?.trim();
    if (next !== undefined && next !== version.label) nameVersion(network, version.revision, next).catch(complain);
    setDraft(null);
  };
  return (
    <input
      className={styles.label}
      aria-label={t.rename(called)}
      placeholder={t.unnamed}
      value={draft ?? version.label}
      maxLength={200}
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setDraft(null);
      }}
      // Escape then gives up the name, and leaves the dialog open.
      data-mantine-stop-propagation={draft !== null}
      autoComplete="off"
      spellCheck={false}
    />
  );
}
