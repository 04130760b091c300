/** How much room is left above the fall, as a share of it: the beginning of the rise is seen, and no more. */
const ROOM = 0.5;

/**
 * Where the axis of a search's losses ends. It is read for how the loss falls, so that the fall, from the highest loss
 * before the lowest one, takes two thirds of the height. A search ends only when the loss is many times the lowest: what
 * diverges leaves by the top, or it alone would be seen. Where the loss never fell, all of it is shown.
 *
 * @param smoothed the smoothed loss of each step, by rising rate.
 */
export function topOf(smoothed: readonly number[]): number {
  const losses = smoothed.filter(Number.isFinite);
  if (losses.length === 0) return 1;
  const [highest, lowest] = [Math.max(...losses), Math.min(...losses)];
  const before = Math.max(...losses.slice(0, losses.indexOf(lowest) + 1));
  return before > lowest ? Math.min(highest, before + ROOM * (before - lowest)) : highest;
}
