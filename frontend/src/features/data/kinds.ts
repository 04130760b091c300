import type { DatasetEntry } from "@/api/types";

export type SampleKind = "image" | "sequence" | "text" | "tokens" | "row";

/** How a sample is best looked at: C×H×W is an image, T×F a course over time, one axis a row. */
export function sampleKind(entry: DatasetEntry): SampleKind {
  if (entry.task === "tokens") return "tokens";
  if (entry.category === "texts" && entry.vocabulary > 0) return "text";
  const [channels = 0] = entry.shape;
  if (entry.shape.length === 3 && (channels === 1 || channels === 3)) return "image";
  return entry.shape.length === 2 ? "sequence" : "row";
}

/** What it says of itself cannot be read: nothing but its name is known. */
export const isDamaged = (entry: DatasetEntry): boolean => entry.missing?.code === "dataset_damaged";

/** The target in words: the class's name where there is one. */
export function targetText(entry: DatasetEntry, target: unknown): string {
  if (typeof target === "number" && entry.task === "classification") return entry.classes[target] ?? String(target);
  if (Array.isArray(target)) return target.length <= 3 ? target.map(shortTarget).join(", ") : `[${target.length}]`;
  return shortTarget(target);
}

function shortTarget(value: unknown): string {
  return typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value);
}
