import { Alert, Button, Group, Modal, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CloudDownload, CloudOff, FileWarning, Trash2, Workflow } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { api, unwrap } from "@/api/client";
import { detailsQuery, previewQuery, refreshDatasets } from "@/api/queries";
import type { DatasetEntry } from "@/api/types";
import { useBegin } from "@/features/imports/useBegin";
import { type Texts, useText } from "@/i18n/whole";
import { shapeText } from "@/lib/shape";
import { ProblemText } from "@/ui/ProblemText";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { toast, useErrorToast } from "@/ui/Toasts";
import { Columns } from "./Columns";
import styles from "./DatasetDetail.module.css";
import { ImageFiles } from "./ImageFiles";
import { isDamaged, sampleKind } from "./kinds";
import { Parts } from "./Parts";
import { Samples } from "./samples";
import { datasetTexts } from "./texts";

const COUNTS = { image: 40, sequence: 18, text: 12, tokens: 10, row: 16 };

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
          {!entry.uploaded && summary && (
            <Text c="dimmed" size="sm" maw={720}>
              {summary}
            </Text>
          )}
        </div>
        <Group gap="xs" wrap="nowrap" className={styles.actions}>
          {!entry.missing && <Begin entry={entry} />}
          {entry.uploaded && <Remove entry={entry} onRemoved={onRemoved} />}
        </Group>
      </header>
      {isDamaged(entry) ? <Unavailable entry={entry} /> : <Known entry={entry} />}
    </article>
  );
}

/** All that can be told of a data set whose description can be read. */
function Known({ entry }: { entry: DatasetEntry }) {
  const t = useText();
  return (
    <>
      <dl className={styles.facts}>
        <Fact name={t.data.facts.task} value={t.train.tasks[entry.task]} />
        <Fact name={t.data.facts.shape} value={`${shapeText(entry.shape)} ${entry.dtype}`} />
        <Fact name={t.data.facts.target} value={target(entry, t)} />
        <Fact name={t.data.facts.samples} value={entry.samples.toLocaleString("en-US")} />
        {entry.classes.length > 0 && <Fact name={t.data.facts.classes} value={String(entry.classes.length)} />}
        {entry.vocabulary > 0 && (
          <Fact name={t.data.facts.vocabulary} value={t.data.upTo(entry.vocabulary.toLocaleString("en-US"))} />
        )}
      </dl>
      {entry.available && <Shares entry={entry} />}
      {entry.uploaded && entry.category === "images" ? <ImageFiles entry={entry} /> : <Columns entry={entry} />}
      {entry.available ? <Contents entry={entry} /> : <Unavailable entry={entry} />}
    </>
  );
}

function Unavailable({ entry }: { entry: DatasetEntry }) {
  const t = useText();
  const Icon = isDamaged(entry) ? FileWarning : entry.missing ? CloudOff : CloudDownload;
  return (
    <Alert
      color="yellow"
      icon={<Icon size={18} aria-hidden />}
      title={isDamaged(entry) ? t.problems.dataset_damaged : t.data.unavailableTitle}
    >
      {entry.missing ? (
        <>
          {!isDamaged(entry) && <b>{t.problems[entry.missing.code]}</b>}{" "}
          <ProblemText code={entry.missing.code} message={entry.missing.message} />
        </>
      ) : (
        t.data.unavailableHint
      )}
    </Alert>
  );
}

function target(entry: DatasetEntry, t: Texts): string {
  if (entry.target_shape.length === 0) return entry.task === "regression" ? t.data.number : t.data.oneOf;
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

const shown = (entry: DatasetEntry) => previewQuery(entry.name, COUNTS[sampleKind(entry)]);

/** The parts that it is divided into; what keeps them from being told is told below, where samples are missing, too. */
function Shares({ entry }: { entry: DatasetEntry }) {
  const t = useText().data.parts;
  const { data, error } = useQuery(shown(entry));
  if (error) return null;
  return (
    <section className={styles.card} aria-label={t.title} aria-busy={!data}>
      <h2>{t.title}</h2>
      {data ? <Parts counts={data.counts} division={data.division} /> : <ListSkeleton rows={2} height={18} />}
    </section>
  );
}

function Contents({ entry }: { entry: DatasetEntry }) {
  const t = useText().data;
  const { data, error, refetch } = useQuery(shown(entry));
  const { data: details } = useQuery(detailsQuery(entry.name));
  if (error) return <ErrorNotice error={error} retry={refetch} />;
  return (
    <section className={styles.card} aria-label={t.preview} aria-busy={!data}>
      <h2>{t.preview}</h2>
      {data ? (
        <Samples entry={entry} preview={data} features={details?.inputs.x?.features} />
      ) : (
        <ListSkeleton rows={6} height={22} />
      )}
    </section>
  );
}

/** A new network for it, in the editor. */
function Begin({ entry }: { entry: DatasetEntry }) {
  const t = useText().data;
  const [, navigate] = useLocation();
  const tell = useErrorToast();
  const begin = useBegin(() => navigate("/"));
  return (
    <Button
      size="xs"
      leftSection={<Workflow size={14} aria-hidden />}
      onClick={() => begin.mutate(entry.name, { onError: tell })}
      loading={begin.isPending}
    >
      {t.begin}
    </Button>
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
