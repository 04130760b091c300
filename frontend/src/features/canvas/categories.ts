import { isContainer } from "@/model/members";
import type { Item, Member } from "@/model/types";

/** Colours of the catalogue's categories. A category that is new to this table gets one of the hues by its name. */
const HUES = [
  "blue",
  "cyan",
  "green",
  "orange",
  "violet",
  "pink",
  "indigo",
  "slate",
  "teal",
  "brown",
  "red",
  "olive",
] as const;
type Hue = (typeof HUES)[number];

const CATEGORY_HUES: { [category: string]: Hue } = {
  convolution: "blue",
  linear: "indigo",
  pooling: "cyan",
  normalization: "green",
  activation: "orange",
  recurrent: "violet",
  attention: "pink",
  embedding: "teal",
  dropout: "slate",
  padding: "brown",
  resampling: "olive",
  shape: "brown",
  arithmetic: "red",
  reduction: "cyan",
  container: "indigo",
  block: "violet",
  parameter: "teal",
  terminal: "slate",
  opaque: "slate",
};

/** One's own first, then in the order in which a network is usually built; what is not listed comes after, by name. */
const ORDER = [
  "your layers",
  "convolution",
  "linear",
  "activation",
  "normalization",
  "pooling",
  "dropout",
  "recurrent",
  "attention",
  "embedding",
  "shape",
  "arithmetic",
  "reduction",
  "linear algebra",
  "padding",
  "resampling",
];

export function categoryColour(category: string): string {
  let hash = 0;
  for (const letter of category) hash = (hash * 31 + letter.charCodeAt(0)) >>> 0;
  return `var(--cat-${CATEGORY_HUES[category] ?? HUES[hash % HUES.length]})`;
}

/** The category of a member that is no layer of the catalogue. */
export function memberCategory(member: Member | Item | null): string {
  if (member?.kind === "block" || member?.kind === "opaque") return member.kind;
  return isContainer(member) ? "container" : "parameter";
}

export function byCategory(left: string, right: string): number {
  const place = (category: string) => (ORDER.includes(category) ? ORDER.indexOf(category) : ORDER.length);
  return place(left) - place(right) || left.localeCompare(right);
}
