import type { Texts } from "@/i18n/whole";
import { shortNumber, shortTick } from "@/lib/format";
import type { Series } from "@/live/series";
import type { ChartSpec } from "./ChartBoard";
import type { Line } from "./lines";

/** `train/loss` is the loss of the training part. */
export function splitName(name: string): { part: string; metric: string } {
  const slash = name.indexOf("/");
  return slash < 0 ? { part: "", metric: name } : { part: name.slice(0, slash), metric: name.slice(slash + 1) };
}

const TASK = /^(Multiclass|Binary|Multilabel)(?=[A-Z])/;
const WORD = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g;

/** The metric under which a run records an entry of the catalogue: `…MulticlassAUROC` is `auroc`. */
export function seriesName(entry: string): string {
  const label = entry.slice(entry.lastIndexOf(".") + 1);
  return label.replace(TASK, "").replaceAll(WORD, "_").toLowerCase();
}

/** A metric's name for a reader; one that no dictionary knows is shown as it is. */
export function metricTitle(metric: string, t: Texts): string {
  // `age/loss` is that of one head of several.
  const slash = metric.lastIndexOf("/");
  if (slash >= 0) return `${metric.slice(0, slash)}: ${metricTitle(metric.slice(slash + 1), t)}`;
  return t.metrics.names[metric] ?? metric.replaceAll("_", " ");
}

/** The same in the few letters of a column. */
export function shortMetricTitle(metric: string, t: Texts): string {
  return t.metrics.short[metric] ?? metricTitle(metric, t);
}

/** Of a whole: people read these as percentages, wherever they stand. */
const SHARES = /accuracy|precision|recall|f1|f_beta|specificity|predictive_value|exact_match/i;

/** A metric's value as a person reads it: shares as percentages, all else with four digits. */
export function figureText(metric: string, value: number | null | undefined): string {
  if (value === undefined || value === null) return "–";
  return SHARES.test(metric) && Number.isFinite(value) ? `${(100 * value).toFixed(2)}%` : shortNumber(value);
}

/** The same at a tick of an axis, with no more digits than it takes. */
export function tickText(metric: string, value: number): string {
  return SHARES.test(metric) ? `${shortTick(100 * value)}%` : shortTick(value);
}

/** A series' name for a reader: the metric, and on which part of the data it was measured. */
export function seriesTitle(name: string, t: Texts): string {
  const { part, metric } = splitName(name);
  return metric === "lr" || part === "" ? metricTitle(metric, t) : `${metricTitle(metric, t)} · ${partTitle(part, t)}`;
}

function partTitle(part: string, t: Texts): string {
  if (part === "train") return t.runs.charts.train;
  return part === "validation" ? t.runs.charts.validation : part;
}

/** Loss first, then the metrics, the learning rate last. */
function rank(metric: string): number {
  if (metric === "loss") return 0;
  return metric === "lr" ? 2 : 1;
}

/** One chart for each metric, with a curve for each part of the data. */
export function chartsOf(series: Iterable<Series>, t: Texts): ChartSpec[] {
  const charts = new Map<string, Line[]>();
  for (const one of series) {
    const { part, metric } = splitName(one.name);
    const lines = charts.get(metric) ?? [];
    charts.set(metric, lines);
    const validation = part === "validation";
    lines.push({
      id: one.name,
      label: partTitle(part, t),
      colour: validation ? 1 : 0,
      series: one,
      // Only the loss of each batch is noisy; all else is exact, or measured once an epoch.
      exact: one.name !== "train/loss",
    });
  }
  return [...charts]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([metric, lines]) => ({
      id: metric,
      title: metricTitle(metric, t),
      // In one order in every legend, whichever series came first.
      lines: lines.sort((a, b) => a.colour - b.colour),
    }));
}
