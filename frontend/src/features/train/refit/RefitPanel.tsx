import { Alert, Button, Group, Loader, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight, Wand2 } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import type { Catalogue, DatasetEntry, Document, Fitting, Fix, NewPlan } from "@/api/types";
import { datasetTexts } from "@/features/data/texts";
import type { Settings } from "@/features/train/settings";
import { text, useText } from "@/i18n/whole";
import type { StepName } from "@/model/history";
import { ProblemText } from "@/ui/ProblemText";
import { toast } from "@/ui/Toasts";
import { type Change, planChanges } from "./changes";
import styles from "./Refit.module.css";

/** Applies the change of the network, as one step; false where it does not apply any more. */
export type Refit = (fix: Pick<Fix, "edits">, step: StepName) => boolean;

interface Props {
  document: Document;
  entry: DatasetEntry;
  /** The data set before, by whose task loss and metrics were chosen. */
  before: DatasetEntry | undefined;
  settings: Settings;
  catalogue: Catalogue;
  onRefit: Refit;
  onChange: (part: Partial<Settings>) => void;
  /** The rows were seen and decided upon. */
  onSettled: () => void;
}

/** What another data set would change in the network and in the plan: seen first, and then taken or left. */
export function RefitPanel(props: Props) {
  const { document, entry, before, settings, catalogue, onRefit, onChange, onSettled } = props;
  const t = useText();
  const words = t.train.refit;
  const [left, setLeft] = useState("");
  const label = datasetTexts(entry, t).label;
  const { data, isPending } = useQuery(fittingQuery(document, entry.name, settings.transforms));
  const plan = planChanges(settings, catalogue, before, entry, t);
  if (isPending)
    return (
      <Group gap={8} className={styles.looking} role="status">
        <Loader size={13} />
        <Text size="xs" c="dimmed">
          {words.looking}
        </Text>
      </Group>
    );
  if (!data || left === entry.name) return null;
  const { problems = [], edits = [] } = data;
  const [problem] = problems;
  if (problem && edits.length > 0)
    return (
      <Alert color="yellow" variant="light" title={words.unfit(label)} data-testid="refit-unfit">
        <Text size="sm">
          <ProblemText code={problem.code} message={problem.message} />
        </Text>
      </Alert>
    );
  const rows = [...documentRows(data, words), ...plan.rows];
  if (rows.length === 0) return null;
  const step = () => {
    const now = text();
    return now.train.refit.step(datasetTexts(entry, now).label);
  };
  const accept = () => {
    if (edits.length > 0 && !onRefit({ edits }, step)) return toast(words.stale);
    if (Object.keys(plan.part).length > 0) onChange(plan.part);
    onSettled();
    toast(words.done(label), edits.length > 0 ? words.undo : undefined);
  };
  return (
    <section className={styles.panel} aria-label={words.title(label)} data-testid="refit">
      <h3 className={styles.title}>
        <Wand2 size={15} aria-hidden /> {words.title(label)}
      </h3>
      <dl className={styles.rows}>
        {rows.map((row) => (
          <div key={row.key} className={styles.row} data-change={row.key}>
            <dt>{row.label}</dt>
            <dd>
              <del>{row.before}</del>
              {row.before && row.after && <ArrowRight size={13} aria-hidden />}
              <ins>{row.after}</ins>
            </dd>
          </div>
        ))}
      </dl>
      <Group gap="xs" justify="flex-end">
        <Button size="xs" variant="default" onClick={() => setLeft(entry.name)}>
          {words.decline}
        </Button>
        <Button size="xs" onClick={accept} data-testid="refit-accept">
          {words.accept}
        </Button>
      </Group>
    </section>
  );
}

function documentRows({ changes = [] }: Fitting, words: ReturnType<typeof useText>["train"]["refit"]): Change[] {
  return changes.map(({ kind, name, before, after }) => ({
    key: `${kind}.${name}`,
    label: kind === "input" ? words.input(name) : kind === "output" ? words.output(name) : name,
    before,
    after,
  }));
}

const fittingQuery = (document: Document, dataset: string, transforms: NonNullable<NewPlan["transforms"]>) => ({
  // A drawing's places change nothing of what fits.
  queryKey: ["fitting", dataset, transforms, { ...document, ui: null }],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    unwrap(api.POST("/api/graphs/fit", { body: { document, dataset, transforms }, signal })),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: 30_000,
});
