import { Link } from "wouter";
import type { RunSummary } from "@/api/types";
import { figureText, metricTitle, shortMetricTitle } from "@/features/charts/groups";
import { datasetLabel } from "@/features/data/texts";
import { LANGUAGES, useLanguage } from "@/i18n";
import { useText } from "@/i18n/whole";
import { compactCount, duration, moment, shortNumber } from "@/lib/format";
import type { ColumnId } from "./columns";
import { ForkedFrom } from "./ForkedFrom";
import { RunName } from "./RunName";
import styles from "./RunsTable.module.css";
import { StateBadge } from "./StateBadge";
import { mainMetric, runTime } from "./table";

const RIGHT = `${styles.number} ${styles.right}`;

/** A run's cell in a column. A column that is added to the union fails the build until it has one. */
export function RunCell({ run, column }: { run: RunSummary; column: ColumnId }) {
  switch (column) {
    case "state":
      return (
        <td>
          <StateBadge state={run.state} desired={run.desired} />
        </td>
      );
    case "name":
      return <NameCell run={run} />;
    case "model":
      return <td className={styles.dim}>{run.model}</td>;
    case "dataset":
      return <DatasetCell run={run} />;
    case "best":
      return <BestCell run={run} />;
    case "loss":
      return <td className={RIGHT}>{shortNumber(run.last["train/loss"])}</td>;
    case "epochs":
      return <td className={RIGHT}>{run.epochs > 0 ? `${run.epoch} / ${run.epochs}` : "–"}</td>;
    case "parameters":
      return <td className={RIGHT}>{run.parameters > 0 ? compactCount(run.parameters) : "–"}</td>;
    case "time":
      return <td className={RIGHT}>{run.started_at === null ? "–" : duration(runTime(run, Date.now() / 1000))}</td>;
    case "created":
      return <CreatedCell run={run} />;
  }
}

function DatasetCell({ run }: { run: RunSummary }) {
  const t = useText();
  return (
    <td className={styles.dim} title={run.dataset}>
      {datasetLabel(run.dataset, t)}
    </td>
  );
}

function NameCell({ run }: { run: RunSummary }) {
  return (
    <td>
      <RunName run={run}>
        <Link to={`/runs/${run.id}`} className={styles.link}>
          {run.name}
        </Link>
      </RunName>
      {run.forked_from && (
        <div className={styles.origin}>
          <ForkedFrom origin={run.forked_from} />
        </div>
      )}
    </td>
  );
}

function BestCell({ run }: { run: RunSummary }) {
  const t = useText();
  const best = mainMetric(run);
  if (best === null) return <td />;
  return (
    <td className={styles.number} data-value={best.value} title={metricTitle(best.metric, t)}>
      <b>{figureText(best.metric, best.value)}</b> <span>{shortMetricTitle(best.metric, t)}</span>
    </td>
  );
}

function CreatedCell({ run }: { run: RunSummary }) {
  const language = useLanguage((state) => state.language);
  return (
    <td className={`${styles.dim} ${styles.date}`} title={moment(run.created_at, LANGUAGES[language].tag)}>
      {when(run.created_at, LANGUAGES[language].tag)}
    </td>
  );
}

/** The time today, the date before. */
function when(seconds: number, language: string): string {
  const date = new Date(seconds * 1000);
  const today = date.toDateString() === new Date().toDateString();
  return today
    ? date.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" })
    : date.toLocaleDateString(language, { month: "short", day: "numeric" });
}
