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

/** A number of an event; null was not measured, unless it is listed as NaN or infinite: then it is shown as such. */
const number = (value: number | null | undefined, broken = false) =>
  value ?? (broken ? Number.POSITIVE_INFINITY : Number.NaN);

/** Some numbers of each of many things over the sampled steps. */
class NamedTracks<Field extends string> {
  readonly steps = new Column();
  readonly columns = new Map<string, Record<Field, Column>>();
  version = 0;
  private readonly fields: readonly Field[];

  constructor(fields: readonly Field[]) {
    this.fields = fields;
  }

  get names(): string[] {
    return [...this.columns.keys()];
  }

  protected add(step: number, names: readonly string[], value: (field: Field, index: number, name: string) => number) {
    const last = this.steps.last();
    // A later attempt starts again from a checkpoint: for a step that was done twice, its values count.
    if (last !== undefined && step <= last) this.truncate(lowerBound(this.steps.view(), step));
    this.steps.push(step);
    names.forEach((name, index) => {
      const columns = this.of(name);
      for (const field of this.fields) columns[field].push(value(field, index, name));
    });
    this.fill();
    if (this.steps.length > MOST_SAMPLES) this.halve();
    this.version++;
  }

  private of(name: string): Record<Field, Column> {
    let columns = this.columns.get(name);
    if (columns === undefined) {
      columns = Object.fromEntries(this.fields.map((field) => [field, new Column()])) as Record<Field, Column>;
      this.columns.set(name, columns);
      // What appears late has no values before.
      this.fill(this.steps.length - 1);
    }
    return columns;
  }

  private each(change: (column: Column) => void) {
    for (const columns of this.columns.values()) for (const field of this.fields) change(columns[field]);
  }

  private fill(length = this.steps.length) {
    this.each((column) => {
      while (column.length < length) column.push(Number.NaN);
    });
  }

  private truncate(length: number) {
    this.steps.truncate(length);
    this.each((column) => column.truncate(length));
  }

  private halve() {
    this.steps.halve();
    this.each((column) => column.halve());
  }
}

/** The norms of every parameter over the sampled steps. */
export class ParameterTracks extends NamedTracks<Norm> {
  constructor() {
    super(NORMS);
  }

  get norms(): Map<string, Record<Norm, Column>> {
    return this.columns;
  }

  append(event: EventOf<"statistics">) {
    const columns = { gradient: event.gradient_norm, weight: event.weight_norm, update: event.update_norm };
    const broken = (norm: Norm, name: string) => event.nonfinite?.[norm]?.includes(name);
    this.add(event.step, event.names, (norm, index, name) => {
      const value = columns[norm][index];
      return number(value, value === null && broken(norm, name));
    });
  }
}

export const MOMENTS = ["mean", "std", "zeros", "units", "dead"] as const;
export type Moment = (typeof MOMENTS)[number];

/** What every layer gives, over the sampled steps. */
export class LayerTracks extends NamedTracks<Moment> {
  constructor() {
    super(MOMENTS);
  }

  append(event: EventOf<"activations">) {
    const broken = new Set(event.nonfinite);
    this.add(event.step, event.names, (moment, index, name) =>
      number(event[moment][index], event[moment][index] === null && broken.has(name)),
    );
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
export function thinned<T>(frames: T[]): T[] {
  return frames.filter((_, index) => index >= frames.length / 2 || index % 2 === 0);
}
