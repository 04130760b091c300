/**
 * Indices of the points that a line of `buckets` pixels can show: of each bucket its lowest and its highest value, in
 * order, so that no spike is lost; one index of each run of values that are not finite, so that no gap is lost; and
 * always the first and the last point. All indices when there are few.
 *
 * @param from first index, @param to one past the last, @param edge where a bucket begins; evenly, when left out.
 */
export function minMaxIndices(
  values: Float64Array,
  from: number,
  to: number,
  buckets: number,
  edge = (bucket: number) => from + Math.floor((bucket * (to - from)) / buckets),
): number[] {
  const count = to - from;
  if (count <= buckets * 4) return Array.from({ length: Math.max(0, count) }, (_, index) => from + index);
  const chosen: number[] = [from];
  for (let bucket = 0; bucket < buckets; bucket++) {
    for (const index of extremes(values, edge(bucket), edge(bucket + 1)))
      if (index > (chosen.at(-1) as number)) chosen.push(index);
  }
  if (chosen.at(-1) !== to - 1) chosen.push(to - 1);
  return chosen;
}

function extremes(values: Float64Array, start: number, end: number): number[] {
  let low = -1;
  let high = -1;
  let gap = -1;
  for (let i = start; i < end; i++) {
    const value = values[i] as number;
    if (!Number.isFinite(value)) {
      // The first: a gap is called by the step at which it began.
      if (gap < 0) gap = i;
      continue;
    }
    if (low < 0 || value < (values[low] as number)) low = i;
    if (high < 0 || value > (values[high] as number)) high = i;
  }
  return [...new Set([low, high, gap])].filter((index) => index >= 0).sort((a, b) => a - b);
}

/** Index of the first value that is not below `wanted`, in an ascending array. */
export function lowerBound(ascending: Float64Array, wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the value nearest to `wanted`, in an ascending array; -1 for an empty one. */
export function nearest(ascending: Float64Array, wanted: number): number {
  const right = lowerBound(ascending, wanted);
  if (right === 0) return ascending.length === 0 ? -1 : 0;
  if (right === ascending.length) return right - 1;
  return wanted - (ascending[right - 1] as number) <= (ascending[right] as number) - wanted ? right - 1 : right;
}
