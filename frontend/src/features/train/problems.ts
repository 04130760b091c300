import { ApiError } from "@/api/errors";
import type { ErrorItem } from "@/api/types";

/** What the service refused, by the field of the plan where it can be mended; the rest under "". */
export type Refused = Map<string, ErrorItem[]>;

/** `/plan/batch_size`, `body.plan.batch_size` and `plan.optimizer.arguments.lr` name the plan's fields. */
export function planField(path: string): string {
  const steps = path.split(/[./]/).filter((step) => step !== "" && step !== "body");
  return steps[0] === "plan" ? steps.slice(1).join(".") : "";
}

const BY_CODE: Partial<Record<ErrorItem["code"], string>> = {
  unknown_dataset: "dataset",
  dataset_unavailable: "dataset",
  dataset_mismatch: "dataset",
  one_class: "dataset",
  unknown_optimizer: "optimizer",
  unknown_scheduler: "scheduler",
  unknown_loss: "loss",
  unknown_metric: "metrics",
  device_unavailable: "device",
};

export function refusedFields(error: unknown): Refused {
  const refused: Refused = new Map();
  if (!(error instanceof ApiError)) return refused;
  for (const item of error.errors) {
    const field = planField(item.path) || BY_CODE[item.code] || "";
    refused.set(field, [...(refused.get(field) ?? []), item]);
  }
  return refused;
}

const within = (name: string, field: string) => name === field || name.startsWith(`${field}.`);

/** The messages for a field and all that lies in it. */
export function messageFor(refused: Refused, field: string): string | undefined {
  const items = [...refused].filter(([name]) => within(name, field)).flatMap(([, of]) => of);
  return items.length === 0 ? undefined : items.map((item) => item.message).join(" ");
}

/** Fields whose controls stand in the dialog at once, and those that are folded at first. */
const OPEN = ["dataset", "epochs", "batch_size", "optimizer"];
const FOLDED = ["scheduler", "loss", "metrics", "clip", "precision", "device", "seed", "split", "normalize"];

/** Whether something has to be mended that is folded away. */
export const concernsFolded = (refused: Refused): boolean =>
  [...refused.keys()].some((name) => FOLDED.some((field) => within(name, field)));

/** What no control of the dialog can show beside itself, with the field it is about. */
export function unplaced(refused: Refused): { field: string; item: ErrorItem }[] {
  const placed = (name: string) => [...OPEN, ...FOLDED].some((field) => within(name, field));
  return [...refused].flatMap(([field, items]) => (placed(field) ? [] : items.map((item) => ({ field, item }))));
}
