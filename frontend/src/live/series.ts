import { lowerBound } from "@/lib/downsample";
import { Smoother } from "@/lib/smooth";
import { Column } from "@/live/column";

/** What the horizontal axis shows. */
export type Axis = "step" | "epoch" | "time" | "wall";

/** One curve: values over steps, epochs, seconds of training and the time of day. NaN stands for a value that was not finite. */
export class Series {
  readonly name: string;
  readonly steps = new Column();
  readonly epochs = new Column();
  readonly times = new Column();
  /** Seconds since 1970. */
  readonly clock = new Column();
  readonly values = new Column();
  /** Rises with every change. */
  version = 0;
  /** Smoothed values by weight, each extended as values arrive. */
  private readonly smoothed = new Map<number, { smoother: Smoother; values: Column }>();

  constructor(name: string) {
    this.name = name;
  }

  append(step: number, epoch: number, time: number, wall: number, value: number) {
    const last = this.steps.last();
    if (last !== undefined && step <= last) this.rewind(step);
    this.steps.push(step);
    this.epochs.push(epoch);
    this.times.push(time);
    // A clock may be set back; an axis is not.
    this.clock.push(Math.max(wall, this.clock.last() ?? wall));
    this.values.push(value);
    this.version++;
  }

  /** A later attempt starts again from a checkpoint: for a step that was done twice, its values count. */
  private rewind(step: number) {
    const length = lowerBound(this.steps.view(), step);
    for (const column of [this.steps, this.epochs, this.times, this.clock, this.values]) column.truncate(length);
    this.smoothed.clear();
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
      cache.values.push(cache.smoother.push(this.values.at(i)));
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
