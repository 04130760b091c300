import type { EventOf } from "@/api/types";
import { lowerBound } from "@/lib/downsample";
import { Column } from "@/live/column";

/** Above this many samples every second one is dropped: a picture has no more pixels. */
const MOST_SAMPLES = 2048;
/** Histograms of all parameters together; a network of 470 parameters then keeps some 280 steps of each. */
const MOST_BYTES = 64 * 2 ** 20;
const MOST_FRAMES = 512;
/** However many parameters there are: fewer steps make no course. */
const FEWEST_FRAMES = 32;

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
  readonly step: number;
  readonly edges: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
}

/** A frame in one small block of memory: there are hundreds of thousands. */
class PackedFrame implements HistogramFrame {
  readonly step: number;
  private readonly numbers: Float32Array;
  private readonly bins: number;

  constructor({ step, edges, counts }: HistogramFrame) {
    this.step = step;
    this.bins = counts.length;
    this.numbers = new Float32Array(counts.length + edges.length);
    this.numbers.set(counts);
    this.numbers.set(edges, counts.length);
  }

  get counts(): Float32Array {
    return this.numbers.subarray(0, this.bins);
  }

  get edges(): Float32Array {
    return this.numbers.subarray(this.bins);
  }

  get bytes(): number {
    return this.numbers.byteLength;
  }
}

/** The distributions of every parameter over the sampled steps, by `weight` and `gradient`. */
export class HistogramTracks {
  private readonly frames = new Map<string, PackedFrame[]>();
  version = 0;

  append(event: EventOf<"histograms">) {
    for (const { name, of, edges, counts } of event.items) {
      const key = `${of}:${name}`;
      const frames = this.frames.get(key) ?? [];
      // A later attempt starts again from a checkpoint: for a step that was done twice, its values count.
      while ((frames.at(-1)?.step ?? Number.NEGATIVE_INFINITY) >= event.step) frames.pop();
      const frame = new PackedFrame({ step: event.step, edges, counts });
      frames.push(frame);
      this.frames.set(key, frames.length > this.most(frame.bytes) ? thinned(frames) : frames);
    }
    this.version++;
  }

  /** Frames that each parameter may keep of the memory that all share. */
  private most(bytes: number): number {
    const share = Math.floor(MOST_BYTES / bytes / Math.max(1, this.frames.size));
    return Math.min(MOST_FRAMES, Math.max(FEWEST_FRAMES, share));
  }

  of(name: string, of: "weight" | "gradient"): HistogramFrame[] {
    return this.frames.get(`${of}:${name}`) ?? [];
  }
}

/** Without every second frame of the older half: what lies far back is seen in less detail. */
function thinned<T>(frames: T[]): T[] {
  return frames.filter((_, index) => index >= frames.length / 2 || index % 2 === 0);
}
