/**
 * Colours of curves: Paul Tol's "bright" and "vibrant" schemes, told apart with every common colour vision deficiency
 * (https://personal.sron.nl/~pault/), lightened on dark ground.
 */
const LIGHT = ["#3566b0", "#c8553d", "#2a7f4f", "#8a5fb0", "#b8860b", "#1d8a99", "#b0307a", "#5f6672"];
const DARK = ["#7fb0f5", "#ff9a7d", "#63cf96", "#c5a3f0", "#e8c25c", "#5fd3e0", "#f58cc3", "#b3bac7"];

export type Scheme = "light" | "dark";

/** The n-th curve's colour. */
export function curveColour(index: number, scheme: Scheme): string {
  const palette = scheme === "dark" ? DARK : LIGHT;
  return palette[index % palette.length] as string;
}

export const CURVE_COLOURS = LIGHT.length;

/** Colours that are easily taken for one another: blue, teal and green; vermilion and amber; violet and magenta. */
const FAMILIES = [0, 1, 0, 2, 1, 0, 2, 3];

/**
 * A colour index for each id that hardly depends on what else is shown: a hash of the id; then, in the order of the
 * ids, the next index whose family is free, and when all families are taken, the next that is free.
 */
export function stableIndices(ids: readonly string[]): Map<string, number> {
  const taken = new Map<string, number>();
  for (const id of [...ids].sort()) {
    const used = new Set(taken.values());
    const families = new Set([...used].map((index) => FAMILIES[index]));
    const order = Array.from({ length: CURVE_COLOURS }, (_, step) => (hash(id) + step) % CURVE_COLOURS);
    const far = order.find((index) => !families.has(FAMILIES[index]));
    taken.set(id, far ?? order.find((index) => !used.has(index)) ?? (order[0] as number));
  }
  return taken;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
