/** What of a plan has to change with its data set. */
import type { Catalogue, DatasetEntry } from "@/api/types";
import { metricTitle, seriesName } from "@/features/charts/groups";
import type { Settings } from "@/features/train/settings";
import type { Texts } from "@/i18n/whole";

/** One row of what would change. */
export type Change = { key: string; label: string; before: string; after: string };

const labelOf = (entries: readonly { name: string; label: string }[], name: string) =>
  entries.find((entry) => entry.name === name)?.label ?? name;

/** The settings that another data set asks for, and the same in words. What the task chooses by itself follows it. */
export function planChanges(
  settings: Settings,
  catalogue: Catalogue,
  before: DatasetEntry | undefined,
  entry: DatasetEntry,
  t: Texts,
): { rows: Change[]; part: Partial<Settings> } {
  const words = t.train.refit;
  const rows: Change[] = [];
  const part: Partial<Settings> = {};
  if (settings.heads.length > 0) return { rows, part };
  const suits = (of: readonly { name: string; tasks: string[] }[], name: string) =>
    of.find((one) => one.name === name)?.tasks.includes(entry.task) ?? true;
  const task = before?.task ?? entry.task;
  if (settings.loss ? !suits(catalogue.losses, settings.loss.name) : words.losses[task] !== words.losses[entry.task]) {
    const now = settings.loss ? labelOf(catalogue.losses, settings.loss.name) : words.losses[task];
    rows.push({ key: "loss", label: words.loss, before: now, after: words.losses[entry.task] });
    if (settings.loss) part.loss = null;
  }
  const kept = settings.metrics?.filter((one) => suits(catalogue.metrics, one.name)) ?? [];
  const left = kept.length < (settings.metrics?.length ?? 0);
  if (left || (!settings.metrics && words.measures[task] !== words.measures[entry.task])) {
    const written = (names: readonly { name: string }[] | null, of: DatasetEntry["task"]) =>
      names && names.length > 0
        ? names.map(({ name }) => metricTitle(seriesName(name), t)).join(", ")
        : words.measures[of];
    const after = written(kept, entry.task);
    rows.push({ key: "metrics", label: words.metrics, before: written(settings.metrics, task), after });
    if (left) part.metrics = kept.length > 0 ? kept : null;
  }
  const weights = settings.class_weights;
  if (Array.isArray(weights) && weights.length !== entry.classes.length) {
    rows.push({ key: "class_weights", label: words.classWeights, before: weights.join(", "), after: words.none });
    part.class_weights = null;
  }
  return { rows, part };
}
