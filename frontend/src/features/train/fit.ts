import type { DatasetEntry, Document, InputExample } from "@/api/types";
import type { Texts } from "@/i18n/whole";
import { shapeText, volume } from "@/lib/shape";

/** The inputs that the data set has to feed: the main block's, without the optional ones. */
export function requiredInputs(document: Document): [string, InputExample | undefined][] {
  const inputs = document.blocks[document.main]?.forward.inputs ?? [];
  return inputs.filter((input) => !input.optional).map(({ name }) => [name, document.inputs[name]]);
}

const isInteger = (dtype: string) => /^u?int/.test(dtype);

/**
 * What of a data set does not fit the network's input, in words; null when all fits as far as the entry tells.
 * A hint while choosing: the service decides when the run is started.
 */
export function misfit(entry: DatasetEntry, document: Document, t: Texts): string | null {
  const inputs = requiredInputs(document);
  // An upload may have an array for each input; only the service knows.
  if (inputs.length !== 1) return entry.uploaded ? null : t.train.unfit.inputs(inputs.length);
  const example = inputs[0]?.[1];
  if (example === undefined) return null;
  if (isInteger(example.dtype) !== isInteger(entry.dtype)) return t.train.unfit.dtype(example.dtype, entry.dtype);
  const flat = Math.min(entry.shape.length, example.shape.length) <= 1;
  const same = shapeText(entry.shape) === shapeText(example.shape);
  if (!same && !(flat && volume(entry.shape) === volume(example.shape))) {
    return t.train.unfit.shape(shapeText(example.shape), shapeText(entry.shape));
  }
  // An upload's vocabulary is at most so large; which tokens it has, the run's training part decides.
  const vocabulary = entry.vocabulary || (entry.task === "tokens" ? entry.classes.length : 0);
  if (typeof example.high === "number" && example.high < vocabulary) {
    return t.train.unfit.vocabulary(example.high, vocabulary);
  }
  return null;
}

/** The data set to begin with: the one that was used last if it fits, else the first that does. */
export function suggested(entries: DatasetEntry[], document: Document, last: string | null, t: Texts): string {
  const usable = entries.filter((entry) => entry.available && misfit(entry, document, t) === null);
  const found = usable.find((entry) => entry.name === last) ?? usable[0];
  return (found ?? entries.find((entry) => entry.available) ?? entries[0])?.name ?? "";
}
