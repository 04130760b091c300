import { Alert, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { detailsQuery, refreshDatasets } from "@/api/queries";
import type { DatasetDetails, DatasetEntry, Reading } from "@/api/types";
import { type Texts, useText } from "@/i18n/whole";
import { shapeText } from "@/lib/shape";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { toast } from "@/ui/Toasts";
import styles from "./Columns.module.css";
import { ColumnTable } from "./ColumnTable";
import { ReadAnew } from "./ReadAnew";
import { MissingFields, TextFields } from "./ReadingFields";
import { RowProblems } from "./RowProblems";
import { isRead, readingOf, sameReading } from "./reading";

/** The columns of a table: what they hold, and of an upload what they are read as, and that to change. */
export function Columns({ entry }: { entry: DatasetEntry }) {
  const { data, error, refetch } = useQuery(detailsQuery(entry.name));
  if (!data) return error ? <ErrorNotice error={error} retry={refetch} /> : <ListSkeleton rows={3} />;
  if (data.columns.length === 0) return null;
  return (
    <>
      <Editor key={JSON.stringify(data.reading)} entry={entry} details={data} />
      {(data.problems.length > 0 || data.dropped > 0) && <RowProblems details={data} />}
    </>
  );
}

function Editor({ entry, details }: { entry: DatasetEntry; details: DatasetDetails }) {
  const t = useText();
  const texts = t.data.columns;
  const client = useQueryClient();
  const [draft, setDraft] = useState<Reading>(() => readingOf(details));
  const apply = useMutation({
    mutationFn: () =>
      unwrap(api.PUT("/api/datasets/{name}/reading", { params: { path: { name: entry.name } }, body: draft })),
    onSuccess: async (made) => {
      toast(`${texts.applied(entry.label)}. ${changes(entry, made, t).join("; ") || texts.unchanged}.`);
      await refreshDatasets(client, entry.name);
    },
  });
  const changed = !sameReading(draft, readingOf(details));
  const table = details.columns.some((column) => column.role === "target");
  return (
    <section className={styles.card} aria-label={texts.title}>
      <h2>{texts.title}</h2>
      <ColumnTable
        columns={details.columns}
        chosen={draft.columns}
        fixed={!(details.editable && table)}
        onChange={(columns) => setDraft({ ...draft, columns })}
      />
      {table && details.editable && (
        <Text size="xs" c="dimmed" mt={8}>
          {texts.kindHints}
        </Text>
      )}
      <Inputs details={details} />
      {details.editable ? (
        <>
          <div className={styles.options}>
            {table && <MissingFields reading={draft} onChange={setDraft} />}
            {isRead(draft, "text") && draft.text && <TextFields reading={draft} onChange={setDraft} />}
          </div>
          <ReadAnew changed={changed} apply={apply} onReset={() => setDraft(readingOf(details))} />
        </>
      ) : (
        entry.uploaded && (
          <Alert mt="md" color="gray">
            {texts.fixed}
          </Alert>
        )
      )}
    </section>
  );
}

/** What the network has to take, where that is more than one tensor of numbers. */
function Inputs({ details }: { details: DatasetDetails }) {
  const t = useText().data.columns;
  const inputs = Object.entries(details.inputs);
  if (inputs.length < 2 && inputs.every(([, input]) => input.ids === null)) return null;
  return (
    <Text size="xs" mt={6}>
      <b>{t.inputs}</b>{" "}
      {inputs
        .map(([name, { shape, dtype, ids }]) =>
          t.input(name, `${shapeText(shape)} ${dtype}`, ids === null ? null : ids.toLocaleString("en-US")),
        )
        .join(" · ")}
    </Text>
  );
}

/** What became of a data set, in words. */
function changes(before: DatasetEntry, after: DatasetEntry, t: Texts): string[] {
  const facts = (entry: DatasetEntry): [string, string][] => [
    [t.data.facts.task, t.train.tasks[entry.task]],
    [t.data.facts.shape, `${shapeText(entry.shape)} ${entry.dtype}`],
    [t.data.facts.samples, entry.samples.toLocaleString("en-US")],
    [t.data.facts.classes, String(entry.classes.length)],
    [t.data.facts.vocabulary, entry.vocabulary.toLocaleString("en-US")],
  ];
  const now = facts(after);
  return facts(before).flatMap(([what, value], index) => {
    const next = now[index]?.[1] ?? value;
    return next === value ? [] : [t.data.columns.changed(what, value, next)];
  });
}
