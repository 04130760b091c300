import {
  columnFilteringFeature,
  createColumnHelper,
  createFilteredRowModel,
  createSortedRowModel,
  globalFilteringFeature,
  rowSelectionFeature,
  rowSortingFeature,
  tableFeatures,
} from "@tanstack/react-table";
import type { RunSummary } from "@/api/types";
import { datasetLabel } from "@/features/data/texts";
import type { Texts } from "@/i18n/whole";
import { direction } from "./Figures";

export const features = tableFeatures({
  columnFilteringFeature,
  globalFilteringFeature,
  rowSelectionFeature,
  rowSortingFeature,
  filteredRowModel: createFilteredRowModel(),
  sortedRowModel: createSortedRowModel(),
});

const helper = createColumnHelper<typeof features, RunSummary>();

/** The metric that a run is judged by: its first validation metric, or else its validation loss. */
export function mainMetric(run: RunSummary): { metric: string; value: number } | null {
  const names = Object.keys(run.best).map((name) => name.replace("validation/", ""));
  const metric = names.find((name) => name !== "loss") ?? names[0];
  const value = metric === undefined ? undefined : run.best[`validation/${metric}`];
  return metric === undefined || typeof value !== "number" ? null : { metric, value };
}

/** The better a run, the larger; runs without a value come last. */
function goodness(run: RunSummary): number {
  const best = mainMetric(run);
  if (best === null) return Number.NEGATIVE_INFINITY;
  return direction(best.metric) === "min" ? -best.value : best.value;
}

/** Seconds from the start to the end, or until now. */
export function runTime(run: RunSummary, now: number): number {
  return run.started_at === null ? 0 : Math.max(0, (run.ended_at ?? now) - run.started_at);
}

const byNumber = (key: (run: RunSummary) => number) => (a: { original: RunSummary }, b: { original: RunSummary }) => {
  const [left, right] = [key(a.original), key(b.original)];
  return left === right ? 0 : left - right;
};
const byText = (key: (run: RunSummary) => string) => (a: { original: RunSummary }, b: { original: RunSummary }) =>
  key(a.original).localeCompare(key(b.original));

/** What the table sorts by. How a cell looks is told in RunCell. */
export const columns = helper.columns([
  helper.accessor("state", { id: "state", sortFn: byText((run) => run.state) }),
  helper.accessor("name", { id: "name", sortFn: byText((run) => run.name) }),
  helper.accessor("model", { id: "model", sortFn: byText((run) => run.model) }),
  helper.accessor("dataset", { id: "dataset", sortFn: byText((run) => run.dataset) }),
  helper.accessor(goodness, { id: "best", sortFn: byNumber(goodness), sortDescFirst: true }),
  helper.accessor((run) => run.last["train/loss"] ?? null, {
    id: "loss",
    sortFn: byNumber((run) => run.last["train/loss"] ?? Number.POSITIVE_INFINITY),
  }),
  helper.accessor("epoch", { id: "epochs", sortFn: byNumber((run) => run.epoch) }),
  helper.accessor("parameters", { id: "parameters", sortFn: byNumber((run) => run.parameters) }),
  helper.accessor("started_at", { id: "time", sortFn: byNumber((run) => runTime(run, Date.now() / 1000)) }),
  helper.accessor("created_at", { id: "created", sortFn: byNumber((run) => run.created_at), sortDescFirst: true }),
]);

/** Whether every word of the filter is found in a run's name, tags, model, data set or state, in either language. */
export function matches(run: RunSummary, t: Texts, filter: string): boolean {
  const shown = [t.runs.states[run.state], datasetLabel(run.dataset, t)];
  const text = [run.name, run.model, run.dataset, run.state, ...shown, ...run.tags].join(" ").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
