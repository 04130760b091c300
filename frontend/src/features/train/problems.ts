import { ApiError } from "@/api/errors";
import type { ErrorItem } from "@/api/types";
import type { Settings } from "./settings";

/** What the service refused, and how it is said in the reader's language. */
interface Told {
  item: ErrorItem;
  text: string;
}

/** What the service refused, by the field of the plan where it can be mended; the rest under "". */
export type Refused = Map<string, Told[]>;

/** `/plan/batch_size`, `body.plan.batch_size` and `plan.optimizer.arguments.lr` name the plan's fields. */
export function planField(path: string): string {
  const steps = path.split(/[./]/).filter((step) => step !== "" && step !== "body");
  return steps[0] === "plan" ? steps.slice(1).join(".") : "";
}

const BY_CODE: Partial<Record<ErrorItem["code"], string>> = {
  unknown_dataset: "dataset",
  dataset_unavailable: "dataset",
  dataset_damaged: "dataset",
  downloads_off: "dataset",
  dataset_mismatch: "dataset",
  one_class: "dataset",
  unknown_optimizer: "optimizer",
  unknown_scheduler: "scheduler",
  unknown_loss: "loss",
  unknown_metric: "metrics",
  device_unavailable: "device",
};

/** Where a choice of this name stands in the plan, and its argument, when the problem is about one. */
function choiceField({ problem }: ErrorItem, settings: Settings): string {
  const name = problem?.data.name;
  if (typeof name !== "string" || problem?.block) return "";
  const metric = settings.metrics?.findIndex((one) => one.name === name) ?? -1;
  const field =
    metric >= 0
      ? `metrics.${metric}`
      : (["optimizer", "scheduler", "loss"] as const).find((one) => settings[one]?.name === name);
  if (field === undefined) return "";
  return problem?.port ? `${field}.arguments.${problem.port}` : field;
}

export function refusedFields(error: unknown, settings: Settings, said: (english: string) => string): Refused {
  const refused: Refused = new Map();
  if (!(error instanceof ApiError)) return refused;
  for (const item of error.errors) {
    const field = planField(item.path) || BY_CODE[item.code] || choiceField(item, settings);
    refused.set(field, [...(refused.get(field) ?? []), { item, text: said(item.message) }]);
  }
  return refused;
}

const within = (name: string, field: string) => name === field || name.startsWith(`${field}.`);

/** The messages for a field and all that lies in it. */
export const messageFor = (refused: Refused, field: string): string | undefined => messageBeside(refused, field, []);

/** The same, without what some of the fields in it say for themselves. */
export function messageBeside(refused: Refused, field: string, others: readonly string[]): string | undefined {
  const items = [...refused]
    .filter(([name]) => within(name, field) && !others.some((other) => within(name, other)))
    .flatMap(([, of]) => of);
  return items.length === 0 ? undefined : items.map(({ text }) => text).join(" ");
}

/** Fields whose controls stand in the dialog at once, and those that are folded at first. */
const OPEN = ["dataset", "epochs", "batch_size", "optimizer"];
const FOLDED = [
  "scheduler",
  "scheduler_interval",
  "loss",
  "metrics",
  "checkpoints",
  "clip",
  "warmup",
  "mixing",
  "transforms",
  "averaging",
  "class_weights",
  "early_stopping",
  "groups",
  "heads",
  "accumulation",
  "steps",
  "precision",
  "compile",
  "device",
  "devices",
  "sync_batch_norm",
  "threads",
  "seed",
  "split",
  "normalize",
  "statistics",
];

/** Whether something has to be mended that is folded away. */
export const concernsFolded = (refused: Refused): boolean =>
  [...refused.keys()].some((name) => FOLDED.some((field) => within(name, field)));

/** What no control of the dialog can show beside itself, with the field it is about. */
export function unplaced(refused: Refused): { field: string; item: ErrorItem }[] {
  const placed = (name: string) => [...OPEN, ...FOLDED].some((field) => within(name, field));
  return [...refused].flatMap(([field, items]) => (placed(field) ? [] : items.map(({ item }) => ({ field, item }))));
}
