import { range } from "@/lib/range";
import type { HistogramFrame, Norm, ParameterTracks } from "@/live/tracks";
import type { Grid } from "./HeatCanvas";

const MOST_COLUMNS = 600;
const BINS = 56;

/** Sample indices that a heatmap shows: all, or evenly picked ones when there are too many. */
function columnIndices(samples: number): number[] {
  const columns = Math.min(samples, MOST_COLUMNS);
  return Array.from({ length: columns }, (_, column) => Math.floor((column * samples) / columns));
}

export interface NormGrid extends Grid {
  /** The sample that each column shows. */
  samples: number[];
}

/** A norm of each named parameter over time, on a logarithmic scale from the smallest to the largest. */
export function normGrid(tracks: ParameterTracks, names: readonly string[], norm: Norm): NormGrid {
  const picked = columnIndices(tracks.steps.length);
  const columns = picked.length;
  const values = new Float32Array(names.length * columns).fill(Number.NaN);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < names.length; row++) {
    const course = tracks.norms.get(names[row] as string)?.[norm].view();
    if (course === undefined) continue;
    for (let place = 0; place < columns; place++) {
      const value = Math.log10(course[picked[place] as number] as number);
      if (!Number.isFinite(value)) continue;
      values[row * columns + place] = value;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  const scale = high > low ? 1 / (high - low) : 1;
  for (let i = 0; i < values.length; i++) values[i] = ((values[i] as number) - low) * scale;
  return { rows: names.length, columns, values, samples: picked };
}

export interface HistogramGrid extends Grid {
  low: number;
  high: number;
  steps: number[];
}

/** Distributions over time: counts of each sampled step in common bins, from the largest value at the top. */
export function histogramGrid(frames: readonly HistogramFrame[]): HistogramGrid {
  const picked = columnIndices(frames.length).map((index) => frames[index] as HistogramFrame);
  const [low, high] = range(picked.flatMap(({ edges }) => [edges[0] ?? 0, edges[edges.length - 1] ?? 0]));
  const values = new Float32Array(BINS * picked.length).fill(Number.NaN);
  picked.forEach((frame, column) => {
    const bins = rebin(frame, low, high);
    const most = Math.max(...bins);
    bins.forEach((count, bin) => {
      // The square root lets the tails be seen beside the peak.
      if (count > 0) values[(BINS - 1 - bin) * picked.length + column] = Math.sqrt(count / most);
    });
  });
  return { rows: BINS, columns: picked.length, values, low, high, steps: picked.map((frame) => frame.step) };
}

/** Spreads each bin of a histogram over the common bins that it overlaps. */
export function rebin({ edges, counts }: HistogramFrame, low: number, high: number): number[] {
  const bins = new Array<number>(BINS).fill(0);
  const width = (high - low) / BINS || 1;
  for (let index = 0; index < counts.length; index++) {
    const count = counts[index] as number;
    const from = edges[index] as number;
    const to = edges[index + 1] as number;
    const first = Math.min(BINS - 1, Math.max(0, Math.floor((from - low) / width)));
    const last = Math.min(BINS - 1, Math.max(first, Math.ceil((to - low) / width) - 1));
    for (let bin = first; bin <= last; bin++) {
      const overlap = Math.min(to, low + (bin + 1) * width) - Math.max(from, low + bin * width);
      bins[bin] = (bins[bin] as number) + (first === last ? count : (count * Math.max(0, overlap)) / (to - from));
    }
  }
  return bins;
}
