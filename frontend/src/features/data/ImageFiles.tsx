import { Select, Switch, Text } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { detailsQuery, refreshDatasets } from "@/api/queries";
import type { DatasetDetails, DatasetEntry, ImageReading } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import { shapeText } from "@/lib/shape";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { toast } from "@/ui/Toasts";
import styles from "./Columns.module.css";
import { ReadAnew } from "./ReadAnew";

const LARGEST = 512;

/** What was sent as images, how they are brought to one size, and the files that could not be used. */
export function ImageFiles({ entry }: { entry: DatasetEntry }) {
  const { data, error, refetch } = useQuery(detailsQuery(entry.name));
  if (!data) return error ? <ErrorNotice error={error} retry={refetch} /> : <ListSkeleton rows={3} />;
  const { images } = data.reading;
  return (
    <>
      {images && <Editor key={JSON.stringify(images)} entry={entry} details={data} images={images} />}
      {data.dropped > 0 && <Problems details={data} />}
    </>
  );
}

function Editor(props: { entry: DatasetEntry; details: DatasetDetails; images: ImageReading }) {
  const { entry, details, images } = props;
  const t = useText().data;
  const client = useQueryClient();
  const [draft, setDraft] = useState(images);
  const apply = useMutation({
    mutationFn: () =>
      unwrap(
        api.PUT("/api/datasets/{name}/reading", {
          params: { path: { name: entry.name } },
          body: { ...details.reading, images: draft },
        }),
      ),
    onSuccess: async (made) => {
      toast(
        `${t.columns.applied(entry.label)}. ${t.columns.changed(t.facts.shape, shapeText(entry.shape), shapeText(made.shape))}.`,
      );
      await refreshDatasets(client, entry.name);
    },
  });
  const put = (part: Partial<ImageReading>) => setDraft({ ...draft, ...part });
  const changed = JSON.stringify(draft) !== JSON.stringify(images);
  return (
    <section className={styles.card} aria-label={t.files.title}>
      <h2>{t.files.title}</h2>
      <Text size="sm">
        {t.files.sent(
          Object.entries(details.sizes)
            .map(([size, count]) => `${size} (${count.toLocaleString("en-US")})`)
            .join(", "),
        )}
      </Text>
      {details.editable && (
        <div className={styles.options}>
          <NumberField
            label={t.files.height}
            whole
            required
            minimum={1}
            maximum={LARGEST}
            value={draft.height}
            onChange={(height) => height !== null && put({ height })}
          />
          <NumberField
            label={t.files.width}
            whole
            required
            minimum={1}
            maximum={LARGEST}
            value={draft.width}
            onChange={(width) => width !== null && put({ width })}
          />
          <Select
            label={t.files.fit}
            data={(["crop", "pad"] as const).map((value) => ({ value, label: t.files.fits[value] }))}
            value={draft.fit}
            onChange={(fit) => put({ fit: fit === "pad" ? "pad" : "crop" })}
            allowDeselect={false}
          />
          <Switch
            mt={26}
            label={t.files.grey}
            checked={draft.grey}
            onChange={(event) => put({ grey: event.currentTarget.checked })}
          />
        </div>
      )}
      <ReadAnew changed={changed} apply={apply} onReset={() => setDraft(images)} />
    </section>
  );
}

function Problems({ details }: { details: DatasetDetails }) {
  const t = useText().data;
  const { rows, dropped, files } = details;
  const count = (value: number) => value.toLocaleString("en-US");
  return (
    <section className={styles.card} aria-label={t.files.problems}>
      <h2>{t.files.problems}</h2>
      <Text size="sm">{t.files.kept(count(rows - dropped), count(rows), count(dropped))}</Text>
      <ul className={styles.problems}>
        {files.slice(0, 100).map(({ file, reason }) => (
          <li key={file}>
            <b>{file}</b> {t.files.reasons[reason]}
          </li>
        ))}
      </ul>
    </section>
  );
}
