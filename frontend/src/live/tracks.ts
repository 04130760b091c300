import type { EventOf } from "@/api/types";
import { lowerBound } from "@/lib/downsample";
import { Column } from "@/live/column";

/** Above this many samples every second one is dropped: a picture has no more pixels. */
const MOST_SAMPLES = 2048;
const MOST_FRAMES = 512;

export const NORMS = ["gradient", "weight", "update"] as const;
export type Norm = (typeof NORMS)[number];

const number = (value: number | null | undefined) => value ?? Number.NaN;

/** The norms of every parameter over the sampled steps. */
export class ParameterTracks {
  readonly steps = new Column();
  readonly norms = new Map<string, Record<Norm, Column>>();
  version = 0;

  append(event: EventOf<"statistics">) {
    const last = this.steps.last();
    if (last !== undefined && event.step <= last) this.truncate(lowerBound(this.steps.view(), event.step));
    this.steps.push(event.step);
    event.names.forEach((name, index) => {
      const columns = this.columns(name);
      columns.gradient.push(number(event.gradient_norm[index]));
      columns.weight.push(number(event.weight_norm[index]));
      columns.update.push(number(event.update_norm[index]));
    });
    this.fill();
    if (this.steps.length > MOST_SAMPLES) this.halve();
    this.version++;
  }

  get names(): string[] {
    return [...this.norms.keys()];
  }

  private columns(name: string): Record<Norm, Column> {
    let columns = this.norms.get(name);
    if (columns === undefined) {
      columns = { gradient: new Column(), weight: new Column(), update: new Column() };
      this.norms.set(name, columns);
      // A parameter that appears late has no values before.
      this.fill(this.steps.length - 1);
    }
    return columns;
  }

  private fill(length = this.steps.length) {
    for (const columns of this.norms.values()) {
      for (const norm of NORMS) while (columns[norm].length < length) columns[norm].push(Number.NaN);
    }
  }

  private truncate(length: number) {
    this.steps.truncate(length);
    for (const columns of this.norms.values()) for (const norm of NORMS) columns[norm].truncate(length);
  }

  private halve() {
    this.steps.halve();
    for (const columns of this.norms.values()) for (const norm of NORMS) columns[norm].halve();
  }
}

export interface HistogramFrame {
  step: number;
  edges: number[];
  counts: number[];
}

/** The distributions of every parameter over the sampled steps, by `weight` and `gradient`. */
export class HistogramTracks {
  readonly frames = new Map<string, HistogramFrame[]>();
  version = 0;

  append(event: EventOf<"histograms">) {
    for (const { name, of, edges, counts } of event.items) {
      const key = `${of}:${name}`;
      const kept = (this.frames.get(key) ?? []).filter((frame) => frame.step < event.step);
      kept.push({ step: event.step, edges, counts });
      this.frames.set(key, kept.length > MOST_FRAMES ? kept.filter((_, index) => index % 2 === 0) : kept);
    }
    this.version++;
  }

  of(name: string, of: "weight" | "gradient"): HistogramFrame[] {
    return this.frames.get(`${of}:${name}`) ?? [];
  }
}
