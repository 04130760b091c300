import { Checkbox, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, unwrap } from "@/api/client";
import { checkpointsQuery } from "@/api/queries";
import type { Checkpoint, Document, Plan } from "@/api/types";
import { figureText, seriesTitle, splitName } from "@/features/charts/groups";
import { type Texts, useText } from "@/i18n/whole";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import type { Beginning } from "./begin";
import { CarryView } from "./CarryView";
import styles from "./ForkFields.module.css";

/** What a run begins with of another one. */
export interface Fork extends Beginning {
  /** Whether the optimizer's state goes along. */
  optimizer: boolean;
}

interface Props {
  fork: Fork;
  onChange: (part: Partial<Fork>) => void;
  document: Document;
  plan: Plan;
  /** More that can be done with it. */
  children?: React.ReactNode;
}

/** The checkpoint that a run begins with, and what of it fits the network. */
export function ForkFields({ fork, onChange, document, plan, children }: Props) {
  const texts = useText();
  const t = texts.train.fork;
  const { data: saved = [] } = useQuery(checkpointsQuery(fork.run));
  // Of the plan, these decide what goes along.
  const [asked] = useDebouncedValue({ ...fork, name: "", of: plan.optimizer.name, groups: plan.groups }, 300);
  const report = useQuery({
    queryKey: ["fork report", asked, document],
    queryFn: ({ signal }) =>
      unwrap(
        api.POST("/api/runs/{run_id}/fork/report", {
          params: { path: { run_id: fork.run } },
          body: { checkpoint: fork.checkpoint, document, plan, optimizer: fork.optimizer },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const chosen = saved.find((one) => holds(one, fork.checkpoint));
  return (
    <section className={styles.fork} aria-label={t.title}>
      <p className={styles.from}>
        {t.from} <Link to={`/runs/${fork.run}`}>{fork.name}</Link>
        {children}
      </p>
      <Select
        label={t.checkpoint}
        data={saved.map((one) => ({ value: String(one.step), label: titleOf(one, texts) }))}
        value={chosen ? String(chosen.step) : null}
        placeholder={fork.checkpoint}
        allowDeselect={false}
        onChange={(step) => step !== null && onChange({ checkpoint: step })}
      />
      <Checkbox
        label={t.optimizer}
        checked={fork.optimizer}
        onChange={(event) => onChange({ optimizer: event.currentTarget.checked })}
      />
      {report.data ? (
        <CarryView report={report.data} />
      ) : report.error ? (
        <ErrorNotice error={report.error} />
      ) : (
        <ListSkeleton rows={2} />
      )}
    </section>
  );
}

const holds = (one: Checkpoint, which: string) =>
  String(one.step) === which || (which === "last" && one.last) || (which === "best" && one.best);

function titleOf(one: Checkpoint, texts: Texts): string {
  const t = texts.runs.checkpoints;
  const value =
    typeof one.value === "number"
      ? [`${seriesTitle(one.monitor, texts)} ${figureText(splitName(one.monitor).metric, one.value)}`]
      : [];
  const marks = [...(one.best ? [t.best] : []), ...(one.last ? [t.last] : [])];
  return [texts.runs.origin.step(one.step), ...marks, ...value, t.held[one.weights]].join(" · ");
}
