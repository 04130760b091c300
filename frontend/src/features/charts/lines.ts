import { lowerBound, minMaxIndices } from "@/lib/downsample";
import type { Axis, Series } from "@/live/series";

/** A curve of a chart. */
export interface Line {
  id: string;
  label: string;
  /** Index into the curve colours. */
  colour: number;
  series: Series;
  dashed?: boolean;
  /** A few exact values, such as one per epoch, are not smoothed. */
  exact?: boolean;
}

export interface LineOptions {
  axis: Axis;
  smoothing: number;
  logarithmic: boolean;
  logarithmicX: boolean;
  /** Part of the horizontal axis that is shown; all of it when null. */
  zoom: readonly [number, number] | null;
  /** Width of the chart in pixels. */
  width: number;
}

export interface LineData {
  x: number[];
  raw: (number | null)[];
  smooth: (number | null)[];
  /** Stretches of the axis where no value was finite, with the step at which each began. */
  broken: Broken[];
}

export interface Broken {
  from: number;
  to: number;
  step: number;
}

/** Below this many points there is nothing to smooth. */
const FEW = 8;
/** Gaps that lie closer together than this are one gap to the eye. */
const NEAR_PX = 4;

/** What a chart draws of a line: smoothed over all points first, then thinned to the pixels of the shown part. */
export function lineData(line: Line, options: LineOptions): LineData {
  const { series } = line;
  const xs = series.axis(options.axis).view();
  const values = series.values.view();
  const weight = line.exact || series.values.length < FEW ? 0 : options.smoothing;
  const smoothed = series.smooth(weight);
  const [from, to] = shownRange(xs, options);
  // Where a value of the axis lies, in units that are all as wide.
  const place = options.logarithmicX ? Math.log10 : (x: number) => x;
  const data: LineData = { x: [], raw: [], smooth: [], broken: [] };
  const near = to > from ? (NEAR_PX * (place(xs[to - 1] as number) - place(xs[from] as number))) / options.width : 0;
  let before = true;
  const usable = (value: number) => Number.isFinite(value) && !(options.logarithmic && value <= 0);
  let lastX = Number.NaN;
  for (const index of minMaxIndices(values, from, to, options.width, edges(xs, from, to, options))) {
    const x = xs[index] as number;
    const value = values[index] as number;
    const finite = Number.isFinite(value);
    if (!finite) addBroken(data.broken, x, series.steps.at(index), (last) => !before || place(x) - place(last) <= near);
    before = finite;
    // Two points at one place of the axis: the later one is shown.
    if (x === lastX) for (const column of [data.x, data.raw, data.smooth]) column.pop();
    lastX = x;
    data.x.push(x);
    data.raw.push(usable(value) ? value : null);
    const smooth = smoothed[index] as number;
    data.smooth.push(usable(value) && usable(smooth) ? smooth : null);
  }
  return data;
}

/** Adds a place without a finite value: to the stretch before, when that is near enough, else as a new one. */
function addBroken(broken: Broken[], x: number, step: number, joins: (last: number) => boolean) {
  const last = broken.at(-1);
  if (last && joins(last.to)) last.to = x;
  else broken.push({ from: x, to: x, step });
}

type AxisOptions = Pick<LineOptions, "zoom" | "logarithmicX" | "width">;

/** Indices of the shown points, and one more on each side, so that lines run on to the edge. */
function shownRange(xs: Float64Array, { zoom, logarithmicX }: AxisOptions): [number, number] {
  const first = logarithmicX ? firstPositive(xs) : 0;
  if (zoom === null) return [first, xs.length];
  return [Math.max(first, lowerBound(xs, zoom[0]) - 1), Math.min(xs.length, lowerBound(xs, zoom[1]) + 1)];
}

/** A logarithmic axis has no place for zero. */
const firstPositive = (xs: Float64Array) => lowerBound(xs, Number.MIN_VALUE);

/** Buckets as wide as a pixel: on a logarithmic axis they hold few points at first, and ever more. */
function edges(xs: Float64Array, from: number, to: number, { logarithmicX, width }: AxisOptions) {
  if (!logarithmicX || to - from < 2) return undefined;
  const [low, high] = [xs[from] as number, xs[to - 1] as number];
  return (bucket: number) =>
    bucket >= width ? to : Math.max(from, Math.min(to, lowerBound(xs, low * (high / low) ** (bucket / width))));
}

/** Lowest and highest place on the axis of all lines. */
export function extent(lines: readonly Line[], axis: Axis, logarithmicX = false): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { series } of lines) {
    const xs = series.axis(axis).view();
    const first = logarithmicX ? firstPositive(xs) : 0;
    if (first >= xs.length) continue;
    low = Math.min(low, xs[first] as number);
    high = Math.max(high, xs[xs.length - 1] as number);
  }
  if (low > high) return logarithmicX ? [1, 10] : [0, 1];
  if (low < high) return [low, high];
  return logarithmicX ? [low / 2, low * 2] : [low - 0.5, high + 0.5];
}
