import { NORMS, type Norm, type ParameterTracks } from "@/live/tracks";

/** What was measured of the parameters below a node at one sampled step. */
export interface NodeNorms extends Record<Norm, number> {
  /** How many parameters lie below it. */
  parameters: number;
}

/**
 * The norms of a member: of all its parameters taken as one vector, the root of the sum of their squares.
 *
 * @param member attribute path below the network, @param sample index into the sampled steps; null without parameters.
 */
export function memberNorms(tracks: ParameterTracks, member: string, sample: number): NodeNorms | null {
  const squares: Record<Norm, number> = { gradient: 0, weight: 0, update: 0 };
  let parameters = 0;
  for (const [name, columns] of tracks.norms) {
    if (name !== member && !name.startsWith(`${member}.`)) continue;
    parameters++;
    for (const norm of NORMS) squares[norm] += columns[norm].at(sample) ** 2;
  }
  if (parameters === 0) return null;
  const [gradient, weight, update] = [squares.gradient, squares.weight, squares.update].map(Math.sqrt);
  return { gradient, weight, update, parameters } as NodeNorms;
}

/** Where values lie between the smallest and the largest of them, 0 to 1, on a logarithmic scale. */
export function logScale(values: readonly number[]) {
  const usable = values.filter((value) => Number.isFinite(value) && value > 0);
  const [low, high] = [Math.min(...usable), Math.max(...usable)];
  const width = Math.log(high / low);
  const share = (value: number): number | null => {
    if (!Number.isFinite(value)) return null;
    if (value <= 0) return 0;
    return width > 0 ? Math.log(value / low) / width : 0.5;
  };
  return { low, high, share, empty: usable.length === 0 };
}

/** Shares of a whole, on a scale from none to all. */
export const wholeScale = {
  low: 0,
  high: 1,
  share: (value: number): number | null => (Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : null),
  empty: false,
};
