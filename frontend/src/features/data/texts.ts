import type { DatasetEntry } from "@/api/types";
import type { Texts } from "@/i18n/whole";

type Named = Pick<DatasetEntry, "name" | "label" | "summary">;

/** A data set's name and what it is, in the reader's language; an upload, or one that came later, in its own words. */
export function datasetTexts({ name, label, summary }: Named, t: Texts): { label: string; summary: string } {
  return t.data.sets[name] ?? { label, summary };
}

/** The same for a name alone, as a run knows it. */
export const datasetLabel = (name: string, t: Texts): string => t.data.sets[name]?.label ?? name;
