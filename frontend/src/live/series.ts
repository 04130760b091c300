import type { SeriesSlice } from "@/api/types";
import { lowerBound } from "@/lib/downsample";
import { Smoother } from "@/lib/smooth";
import { Column } from "@/live/column";

/** What the horizontal axis shows. */
export type Axis = "step" | "epoch" | "time" | "wall";

/** A place of a curve. */
interface Place {
  step: number;
  epoch: number;
  time: number;
  wall: number;
}

/**
 * One curve: values over steps, epochs, seconds of training and the time of day. NaN stands for a value that was not finite.
 *
 * Where it is long, the service tells of many values together: such a cell is two points here, its lowest and its highest
 * value, one where it begins and one where it ends, and one between them when some of its values were not finite.
 */
export class Series {
  readonly name: string;
  readonly steps = new Column();
  readonly epochs = new Column();
  readonly times = new Column();
  /** Seconds since 1970. */
  readonly clock = new Column();
  readonly values = new Column();
  /** Where the cell begins that a point belongs to; a value's own step. */
  readonly begins = new Column();
  /** Mean of the cell; the value itself. */
  readonly means = new Column();
  /** For how many values a point stands: half of its cell's, so that there are two of them; 1 for a value itself. */
  readonly weights = new Column();
  /** Rises with every change. */
  version = 0;
  /** Rises when values are taken back. */
  rewinds = 0;
  /** Values were taken back out of the middle of a cell: what is left of it has to be asked for. */
  torn = false;
  /** Smoothed values by weight, each extended as values arrive. */
  private readonly smoothed = new Map<number, { smoother: Smoother; values: Column }>();

  constructor(name: string) {
    this.name = name;
  }

  append(step: number, epoch: number, time: number, wall: number, value: number) {
    const last = this.steps.last();
    if (last !== undefined && step <= last) this.rewind(step);
    this.push({ step, epoch, time, wall }, value, step, value, 1);
    this.version++;
  }

  private push({ step, epoch, time, wall }: Place, value: number, begin: number, mean: number, weight: number) {
    this.steps.push(step);
    this.epochs.push(epoch);
    this.times.push(time);
    // A clock may be set back; an axis is not.
    this.clock.push(Math.max(wall, this.clock.last() ?? wall));
    this.values.push(value);
    this.begins.push(begin);
    this.means.push(mean);
    this.weights.push(weight);
  }

  /** Puts what the service says of a stretch of steps in the place of what is known of it. */
  refine(slice: SeriesSlice) {
    const from = lowerBound(this.steps.view(), slice.steps[0] ?? Number.POSITIVE_INFINITY);
    const to = lowerBound(this.steps.view(), (slice.lasts.at(-1) ?? Number.NEGATIVE_INFINITY) + 1);
    const tail = this.columns().map((column) => column.view().slice(Math.max(from, to)));
    this.truncate(from);
    for (let index = 0; index < slice.counts.length; index++) this.pushCell(slice, index);
    this.columns().forEach((column, index) => {
      for (const value of tail[index] as Float64Array) column.push(value);
    });
    this.version++;
  }

  private pushCell(slice: SeriesSlice, index: number) {
    const begin = slice.steps[index] as number;
    const end = slice.lasts[index] as number;
    const count = slice.counts[index] as number;
    const value = (column: (number | null)[]) => column[index] ?? Number.NaN;
    const mean = value(slice.means);
    const place = (step: number) => between(slice, index, step);
    if (count === 1) return this.push(place(begin), mean, begin, mean, 1);
    // Which of them came first is not told; where a curve falls, the highest.
    const falls = mean < (slice.means[index - 1] ?? Number.NaN);
    const [first, last] = falls ? [slice.highs, slice.lows] : [slice.lows, slice.highs];
    this.push(place(begin), value(first), begin, mean, count / 2);
    const middle = Math.floor((begin + end) / 2);
    const broken = (slice.broken[index] as number) > 0;
    if (broken && middle > begin) this.push(place(middle), Number.NaN, begin, Number.NaN, 1);
    const hides = broken && middle === begin;
    this.push(place(end), hides ? Number.NaN : value(last), begin, mean, count / 2);
  }

  /** A later attempt starts again from a checkpoint: for a step that was done twice, its values count. */
  private rewind(step: number) {
    const length = lowerBound(this.steps.view(), step);
    if ((this.begins.at(length) as number) < step) this.torn = true;
    this.truncate(length);
    this.rewinds++;
  }

  private truncate(length: number) {
    for (const column of this.columns()) column.truncate(length);
    this.smoothed.clear();
  }

  private columns(): Column[] {
    return [this.steps, this.epochs, this.times, this.clock, this.values, this.begins, this.means, this.weights];
  }

  /**
   * The steps from the first to the last of the cells that a part of the axis touches, with one more on each side; null
   * when every point there is a value itself.
   */
  coarse(axis: Axis, [from, to]: readonly [number, number]): [number, number] | null {
    const xs = this.axis(axis).view();
    let first = Math.max(0, lowerBound(xs, from) - 1);
    let last = Math.min(xs.length - 1, lowerBound(xs, to) + 1);
    const steps = this.steps.view();
    if (
      !this.begins
        .view()
        .subarray(first, last + 1)
        .some((begin, index) => begin !== steps[first + index])
    )
      return null;
    while (first > 0 && this.begins.at(first - 1) === this.begins.at(first)) first--;
    while (last + 1 < xs.length && this.begins.at(last + 1) === this.begins.at(last)) last++;
    return [this.steps.at(first), this.steps.at(last)];
  }

  /** Whether a point stands for several values. */
  isSummary(index: number): boolean {
    const begin = this.begins.at(index);
    return begin !== this.steps.at(index) || (index + 1 < this.steps.length && this.begins.at(index + 1) === begin);
  }

  axis(axis: Axis): Column {
    switch (axis) {
      case "step":
        return this.steps;
      case "epoch":
        return this.epochs;
      case "time":
        return this.times;
      case "wall":
        return this.clock;
    }
  }

  /** The values after debiased smoothing of all points, whatever of them is shown. */
  smooth(weight: number): Float64Array {
    if (weight === 0) return this.values.view();
    let cache = this.smoothed.get(weight);
    if (cache === undefined) {
      // Only the present weight is kept: a slider passes through many.
      this.smoothed.clear();
      cache = { smoother: new Smoother(weight), values: new Column() };
      this.smoothed.set(weight, cache);
    }
    for (let i = cache.values.length; i < this.values.length; i++) {
      cache.values.push(cache.smoother.push(this.means.at(i), this.weights.at(i)));
    }
    return cache.values.view();
  }

  last(): number | undefined {
    return this.values.last();
  }

  /** Lowest or highest finite value. */
  best(direction: "min" | "max"): number | undefined {
    let best: number | undefined;
    for (const value of this.values.view()) {
      if (!Number.isFinite(value)) continue;
      if (best === undefined || (direction === "min" ? value < best : value > best)) best = value;
    }
    return best;
  }
}

/** A place within a cell: of epochs and times only those at its beginning are known, and at that of the next. */
function between(slice: SeriesSlice, index: number, step: number): Place {
  const begin = slice.steps[index] as number;
  const next = Math.min(index + 1, slice.steps.length - 1);
  const width = (slice.steps[next] as number) - begin;
  const share = width > 0 ? (step - begin) / width : 0;
  const at = (column: number[]) => {
    const [here, there] = [column[index] as number, column[next] as number];
    return here + share * (there - here);
  };
  return { step, epoch: at(slice.epochs), time: at(slice.times), wall: at(slice.clock) };
}
