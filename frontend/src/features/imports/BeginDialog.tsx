import { Modal, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { datasetsQuery } from "@/api/queries";
import type { DatasetEntry } from "@/api/types";
import { datasetTexts } from "@/features/data/texts";
import { RoamingField } from "@/features/project/RoamingField";
import { useRoaming } from "@/features/project/useRoaming";
import { useText } from "@/i18n/whole";
import { shapeText, volume } from "@/lib/shape";
import { ErrorNotice, ListSkeleton, NoHits } from "@/ui/States";
import { useBeginDialog } from "./beginning";
import styles from "./Imports.module.css";
import { useBegin } from "./useBegin";

const close = () => useBeginDialog.setState({ opened: false });

/** A new network for a data set: its input, a head for its task, and the plan that trains it. */
export function BeginDialog() {
  const t = useText().imports.begin;
  const opened = useBeginDialog((state) => state.opened);
  return (
    <Modal opened={opened} onClose={close} title={t.title} size={720} data-testid="begin-dialog">
      {opened && <Content />}
    </Modal>
  );
}

function Content() {
  const t = useText();
  const words = t.imports.begin;
  const { query, clear, list, field, fromCard } = useRoaming("[data-begin]", () => {
    const [first] = groups.flatMap(({ entries }) => entries);
    if (first) begin.mutate(first.name);
  });
  const { data, error, isPending, refetch } = useQuery(datasetsQuery);
  const begin = useBegin(close);
  const wanted = query.trim().toLowerCase();
  const fitting = (data ?? []).filter((entry) => {
    const { label, summary } = datasetTexts(entry, t);
    return [entry.name, label, summary, entry.task, t.train.tasks[entry.task]].some((text) =>
      text.toLowerCase().includes(wanted),
    );
  });
  // What a person brought is what a person came for.
  const groups = [
    { title: t.data.uploaded, entries: fitting.filter((entry) => entry.uploaded) },
    { title: t.data.builtin, entries: fitting.filter((entry) => !entry.uploaded) },
  ].filter(({ entries }) => entries.length > 0);
  return (
    <div className={styles.library} data-search>
      <Text size="sm" c="dimmed">
        {words.intro}
      </Text>
      <RoamingField field={field} label={words.search} />
      {begin.error && <ErrorNotice error={begin.error} />}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the rows inside are buttons; this hears their arrow keys */}
      <div ref={list} className={styles.list} onKeyDown={fromCard}>
        {error && <ErrorNotice error={error} retry={() => void refetch()} />}
        {isPending && <ListSkeleton rows={8} height={34} />}
        {groups.map(({ title, entries }) => (
          <section key={title} aria-label={title}>
            <h3 className={styles.family}>{title}</h3>
            {entries.map((entry) => (
              <Row key={entry.name} entry={entry} onBegin={() => begin.mutate(entry.name)} busy={begin.isPending} />
            ))}
          </section>
        ))}
        {data && fitting.length === 0 && <NoHits onClear={clear}>{words.nothing(query)}</NoHits>}
      </div>
    </div>
  );
}

function Row({ entry, onBegin, busy }: { entry: DatasetEntry; onBegin: () => void; busy: boolean }) {
  const t = useText();
  const words = t.imports.begin;
  const classes = entry.classes.length;
  const gives = classes > 0 ? words.classes(classes) : words.outputs(volume(entry.target_shape));
  return (
    <UnstyledButton className={styles.row} data-begin={entry.name} onClick={onBegin} disabled={busy}>
      <span className={styles.title}>{datasetTexts(entry, t).label}</span>
      <span className={styles.part}>{t.train.tasks[entry.task]}</span>
      <span className={styles.shapes}>{shapeText(entry.shape)}</span>
      <span className={styles.count}>{gives}</span>
    </UnstyledButton>
  );
}
