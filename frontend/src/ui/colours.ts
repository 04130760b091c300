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

/**
 * A colour index for each id that does not depend on what else is shown, as long as no two ids claim the same one:
 * a hash of the id, then the next free index, in the order of the ids.
 */
export function stableIndices(ids: readonly string[]): Map<string, number> {
  const taken = new Map<string, number>();
  const free = new Set(Array.from({ length: CURVE_COLOURS }, (_, index) => index));
  for (const id of [...ids].sort()) {
    let index = hash(id) % CURVE_COLOURS;
    while (free.size > 0 && !free.has(index)) index = (index + 1) % CURVE_COLOURS;
    free.delete(index);
    taken.set(id, index);
  }
  return taken;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  return value >>> 0;
}
