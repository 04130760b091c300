import { suits } from "./suggest";
import type { Listed } from "./things";

/** What does not suit a value comes behind what does and fits the query a little worse. */
const UNSUITED = 25;

/** How well an entry fits what was typed: 0 not at all; its name counts most, then its beginning, then other words. */
export function score(listed: Listed, query: string): number {
  const label = listed.label.toLowerCase();
  // Short names first; layers before operations of the same name.
  const rank = (listed.thing.kind === "operation" ? 0 : 4) - Math.min(label.length, 40) / 4;
  if (label === query) return 100 + rank;
  if (label.startsWith(query)) return 80 + rank;
  if (label.includes(query)) return 50 + rank;
  if (initials(listed.label).startsWith(query)) return 40 + rank;
  return listed.words.includes(query) ? 20 + rank : 0;
}
/** `BatchNorm2d` → `bn2d`: what people type for short. */
const initials = (label: string): string => label.replace(/([A-Z])[a-z]+/g, "$1").toLowerCase();

/** Entries that fit every word of the query, best first; all of them for an empty one. `axes` of the value that one is to take, where known. */
export function search(all: readonly Listed[], query: string, axes: number | null = null): Listed[] {
  const words = query.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [...all];
  return all
    .flatMap((listed) => {
      const scores = words.map((word) => score(listed, word));
      const fit = scores.includes(0) ? null : scores.reduce((sum, it) => sum + it, 0);
      return fit === null ? [] : { listed, fit: suits(listed, axes) ? fit : fit - UNSUITED };
    })
    .sort((a, b) => b.fit - a.fit || a.listed.label.localeCompare(b.listed.label))
    .map(({ listed }) => listed);
}
