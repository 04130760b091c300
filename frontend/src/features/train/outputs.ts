import type { Document } from "@/api/types";

type Output = Document["blocks"][string]["forward"]["output"];

/** Names of what a network returns: keys of its dict, places in its tuple; none where the drawing does not tell. */
export function outputNames(document: Document): string[] {
  const output = document.blocks[document.main]?.forward.output;
  return output === undefined ? [] : named(output, "").filter((name) => name !== "");
}

function named(value: Output, path: string): string[] {
  const under = (key: string | number) => (path === "" ? String(key) : `${path}.${key}`);
  const items = Array.isArray(value)
    ? value
    : typeof value === "object" && value !== null && "$tuple" in value
      ? value.$tuple
      : undefined;
  if (items !== undefined) return items.flatMap((item, place) => named(item, under(place)));
  if (typeof value === "object" && value !== null && "$dict" in value) {
    return Object.entries(value.$dict).flatMap(([key, item]) => named(item, under(key)));
  }
  return [path];
}
