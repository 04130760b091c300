import { Alert, Button, Group, Modal, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CloudDownload, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { previewQuery, refreshDatasets } from "@/api/queries";
import type { DatasetEntry } from "@/api/types";
import { useText } from "@/i18n";
import { shapeText } from "@/lib/shape";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { toast, useErrorToast } from "@/ui/Toasts";
import { ClassBalance } from "./ClassBalance";
import styles from "./DatasetDetail.module.css";
import { sampleKind } from "./kinds";
import { Samples } from "./samples";
import { datasetTexts } from "./texts";

const COUNTS = { image: 40, sequence: 18, tokens: 10, row: 16 };

/** What a data set holds: its facts, the balance of its classes, and some samples. */
export function DatasetDetail({ entry, onRemoved }: { entry: DatasetEntry; onRemoved: () => void }) {
  const t = useText();
  const { label, summary } = datasetTexts(entry, t);
  return (
    <article className={styles.detail}>
      <header className={styles.head}>
        <div>
          <Title order={1} size="h3">
            {label}
          </Title>
          {summary && (
            <Text c="dimmed" size="sm" maw={720}>
              {summary}
            </Text>
          )}
        </div>
        {entry.uploaded && <Remove entry={entry} onRemoved={onRemoved} />}
      </header>
      <dl className={styles.facts}>
        <Fact name={t.data.facts.task} value={t.train.tasks[entry.task]} />
        <Fact name={t.data.facts.shape} value={`${shapeText(entry.shape)} ${entry.dtype}`} />
        <Fact name={t.data.facts.target} value={target(entry, t.data.number)} />
        <Fact name={t.data.facts.samples} value={entry.samples.toLocaleString()} />
        {entry.classes.length > 0 && <Fact name={t.data.facts.classes} value={String(entry.classes.length)} />}
      </dl>
      {entry.available ? (
        <Contents entry={entry} />
      ) : (
        <Alert color="yellow" icon={<CloudDownload size={18} aria-hidden />} title={t.data.unavailable}>
          {t.data.unavailableHint}
        </Alert>
      )}
    </article>
  );
}

function target(entry: DatasetEntry, number: string): string {
  if (entry.target_shape.length === 0 && entry.task === "regression") return number;
  return `${entry.target_shape.length > 0 ? `${shapeText(entry.target_shape)} ` : ""}${entry.target_dtype}`;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function Contents({ entry }: { entry: DatasetEntry }) {
  const t = useText().data;
  const { data, error, refetch } = useQuery(previewQuery(entry.name, COUNTS[sampleKind(entry)]));
  if (!data) return error ? <ErrorNotice error={error} retry={refetch} /> : <ListSkeleton rows={6} />;
  return (
    <>
      {Object.keys(data.counts).length > 0 && (
        <section className={styles.card}>
          <h2>{t.balance}</h2>
          <ClassBalance counts={data.counts} />
        </section>
      )}
      <section className={styles.card}>
        <h2>{t.preview}</h2>
        <Samples entry={entry} preview={data} />
      </section>
    </>
  );
}

function Remove({ entry, onRemoved }: { entry: DatasetEntry; onRemoved: () => void }) {
  const t = useText();
  const client = useQueryClient();
  const tell = useErrorToast();
  const [asked, setAsked] = useState(false);
  const remove = useMutation({
    mutationFn: () => unwrap(api.DELETE("/api/datasets/{name}", { params: { path: { name: entry.name } } })),
    onSuccess: async () => {
      toast(t.data.removed(entry.label));
      onRemoved();
      await refreshDatasets(client, entry.name);
    },
    onError: tell,
    onSettled: () => setAsked(false),
  });
  return (
    <>
      <Button variant="default" size="xs" leftSection={<Trash2 size={14} aria-hidden />} onClick={() => setAsked(true)}>
        {t.data.remove}
      </Button>
      <Modal opened={asked} onClose={() => setAsked(false)} title={t.data.removeTitle(entry.label)}>
        <Text size="sm">{t.data.removeBody}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => setAsked(false)} data-autofocus>
            {t.common.actions.cancel}
          </Button>
          <Button color="red" onClick={() => remove.mutate()} loading={remove.isPending}>
            {t.common.actions.delete}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
