import { flatten, leafText } from "@/lib/flatten";

/** A setting in which several values differ: the text of each, undefined where it is not set. */
export interface Difference {
  path: string;
  values: (string | undefined)[];
}

/** All settings of several nested values, in the order of their first appearance. */
export function settings(values: readonly unknown[]): Difference[] {
  const flat = values.map((value) => new Map(flatten(value).map(([path, leaf]) => [path, leafText(leaf)] as const)));
  const paths = new Set(flat.flatMap((map) => [...map.keys()]));
  return [...paths].map((path) => ({ path, values: flat.map((map) => map.get(path)) }));
}

/** Only those in which not all are alike. */
export function differences(values: readonly unknown[]): Difference[] {
  return settings(values).filter((row) => new Set(row.values).size > 1);
}
