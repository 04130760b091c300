import { figureText, metricTitle, splitName } from "@/features/charts/groups";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import type { Series } from "@/live/series";
import { useTopic } from "@/live/useRunFeed";
import styles from "./Figures.module.css";

/** Smaller is better for losses, errors and distances, larger for the rest. */
export function direction(metric: string): "min" | "max" {
  return /loss|error|distance|deviance|perplexity|^eer$/i.test(metric) ? "min" : "max";
}

/** The figures that matter: best and last value of every validation series, and the last training loss. */
export function Figures({ feed }: { feed: RunFeed }) {
  useTopic(feed, "series");
  const all = [...feed.view.series.values()];
  const validation = all.filter((series) => series.name.startsWith("validation/"));
  const ordered = validation.sort((a, b) => Number(a.name.endsWith("/loss")) - Number(b.name.endsWith("/loss")));
  const loss = feed.view.series.get("train/loss");
  if (all.length === 0) return null;
  return (
    <dl className={styles.figures}>
      {ordered.map((series) => (
        <ValidationFigure key={series.name} series={series} />
      ))}
      {loss && <TrainingFigure series={loss} />}
    </dl>
  );
}

function ValidationFigure({ series }: { series: Series }) {
  const t = useText();
  const { metric } = splitName(series.name);
  const best = series.best(direction(metric));
  return (
    <div className={styles.figure}>
      <dt>
        {metricTitle(metric, t)} <span>{t.runs.charts.validation}</span>
      </dt>
      <dd className={styles.value} data-series={series.name} data-kind="last" data-value={series.last()}>
        {figureText(metric, series.last())}
      </dd>
      <dd className={styles.best} data-series={series.name} data-kind="best" data-value={best}>
        {t.runs.columns.best} {figureText(metric, best)}
      </dd>
    </div>
  );
}

function TrainingFigure({ series }: { series: Series }) {
  const t = useText();
  return (
    <div className={styles.figure}>
      <dt>
        {metricTitle("loss", t)} <span>{t.runs.charts.train}</span>
      </dt>
      <dd className={styles.value} data-series={series.name} data-kind="last" data-value={series.last()}>
        {shortNumber(series.last())}
      </dd>
    </div>
  );
}
