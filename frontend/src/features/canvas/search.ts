import { suits } from "./suggest";
import type { Listed } from "./things";

/** How near a name is to what was typed, the nearest first; what is between two of them is put right by less. */
export const NEAR = { exact: 100, prefix: 80, word: 60, within: 40, synonym: 20, remote: 0 } as const;
export type Near = (typeof NEAR)[keyof typeof NEAR];

/** What does not suit a value comes behind what does and fits the query a little worse. */
const UNSUITED = 25;

/** `BatchNorm2d` → `bn2d`: what people type for short. */
const initials = (label: string): string => label.replace(/([A-Z])[a-z]+/g, "$1").toLowerCase();
/** Where words begin in `LogSoftmax`, `RMSNorm`, `log_softmax` and `Fit to the window`. */
const BEGINNINGS = /(?<=[a-z\d])[A-Z]|(?<=[A-Z])[A-Z](?=[a-z])|(?<=[^\p{L}\d])[\p{L}\d]/gu;
/** `batch norm`, `batch_norm` and `BatchNorm` are one to whoever types. */
const squeezed = (text: string): string => text.toLowerCase().replace(/[\s_]+/g, "");

/** How near a name is to one word or phrase; null where it has nothing of it. */
export function nearness(name: string, query: string): Near | null {
  const wanted = squeezed(query);
  if (name.toLowerCase() === query) return NEAR.exact;
  const at = squeezed(name).indexOf(wanted);
  if (at < 0) return initials(name).startsWith(wanted) ? NEAR.word : null;
  if (at === 0) return NEAR.prefix;
  const begins = [...name.matchAll(BEGINNINGS)].some(({ index }) => squeezed(name.slice(index)).startsWith(wanted));
  return begins ? NEAR.word : NEAR.within;
}

/** The same for an entry, which goes by its full name and by words for what it is, too. */
function nearnessOf({ label, id, from, words }: Listed, query: string): Near | null {
  const full = id.toLowerCase();
  if (query.includes(".") && (`.${full}`.endsWith(`.${query}`) || `${from}.${label}`.toLowerCase() === query))
    return NEAR.exact;
  const near = nearness(label, query);
  if (near !== null) return near;
  if (words.includes(query)) return NEAR.synonym;
  return full.includes(query) || words.some((word) => word.includes(query)) ? NEAR.remote : null;
}

/** By all words, the farthest of them counting, or as one phrase. */
function nearest(near: (query: string) => Near | null, query: string): Near | null {
  const phrase = near(query);
  const words = query.split(/\s+/);
  if (words.length === 1) return phrase;
  const each = words.map(near);
  const all = each.includes(null) ? null : (Math.min(...(each as Near[])) as Near);
  return phrase === null ? all : (Math.max(phrase, all ?? 0) as Near);
}

/** How near a label is to a query of several words. */
export const nearLabel = (label: string, query: string): Near | null => nearest((it) => nearness(label, it), query);

export type Found = { listed: Listed; near: Near };

/**
 * Entries that fit every word of a query, best first: by name, then by words that mean the same. What only has the query
 * somewhere in such words is found where nothing else is. `axes` of the value that one is to take, where known.
 */
export function ranked(all: readonly Listed[], query: string, axes: number | null = null): Found[] {
  const wanted = query.trim().toLowerCase();
  const fitting = all.flatMap((listed) => {
    const near = nearest((it) => nearnessOf(listed, it), wanted);
    return near === null ? [] : { listed, near };
  });
  const good = fitting.filter(({ near }) => near > NEAR.remote);
  return (good.length > 0 ? good : fitting)
    .map((found) => ({ ...found, worth: worth(found, axes) }))
    .sort((a, b) => b.worth - a.worth || a.listed.label.localeCompare(b.listed.label));
}

/** Short names first; layers before operations of the same name. Whoever types a whole name means it. */
function worth({ listed, near }: Found, axes: number | null): number {
  const rank = (listed.thing.kind === "operation" ? 0 : 4) - Math.min(listed.label.length, 40) / 4;
  return near + rank - (near === NEAR.exact || suits(listed, axes) ? 0 : UNSUITED);
}

/** The entries alone; all of them for an empty query. */
export const search = (all: readonly Listed[], query: string, axes: number | null = null): Listed[] =>
  query.trim() ? ranked(all, query, axes).map(({ listed }) => listed) : [...all];
