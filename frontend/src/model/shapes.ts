/** Shapes as people type them: `3, 32, 32`, `3×32×32`, `3 32 32`, and `2 * width, 4` where names can be used. */
import type { Value } from "./types";

/** A comma of any language, or ×, outside of brackets. */
const APART = /[,，、×](?![^([]*[)\]])/;
const NUMBER = /^\d{1,9}$/;
const WHOLE = /^[([]([^()[\]]*)[)\]]$/;
/** Names that are no function's and no attribute. */
const NAMES = /(?<![\w.])[A-Za-z_]\w*(?![\w\s]*\()/g;

/** The sizes that a text stands for; null for what cannot be read. `names` may be used in expressions. */
export function parseShape(text: string, names: ReadonlySet<string> = new Set()): Value[] | null {
  const inner = text.trim().replace(WHOLE, "$1").trim();
  if (inner === "") return [];
  const sizes: Value[] = [];
  for (const part of inner.replace(/[,，、]$/, "").split(APART)) {
    const read = parseSizes(part.trim(), names);
    if (!read) return null;
    sizes.push(...read);
  }
  return sizes;
}

/** One size, or several with nothing but spaces or `x` between them. */
function parseSizes(part: string, names: ReadonlySet<string>): Value[] | null {
  const words = part.replaceAll(/(?<=\d\s*)x(?=\s*\d)/g, " ").split(/\s+/);
  const plain = words.every((word) => NUMBER.test(word) || names.has(word));
  if (plain) return words.map((word) => (NUMBER.test(word) ? Number(word) : { $expr: word }));
  const used = part.match(NAMES) ?? [];
  return used.length > 0 && used.every((name) => names.has(name)) ? [{ $expr: part }] : null;
}

/** A shape as it is typed. */
export const shapeWritten = (shape: readonly Value[]): string =>
  shape.map((size) => (typeof size === "object" && size !== null && "$expr" in size ? size.$expr : size)).join(", ");
