import type { EventOf } from "@/api/types";
import { thinned } from "@/live/tracks";

export type ImageOf = EventOf<"images">["items"][number]["of"];

/** Maps of one layer for one sample at a step: bytes from 0 to 254, row by row, and 255 for what is not finite. */
export interface ImageFrame {
  readonly step: number;
  readonly maps: number;
  readonly total: number;
  readonly rows: number;
  readonly columns: number;
  readonly size: readonly number[];
  readonly low: number;
  readonly high: number;
  readonly pixels: Uint8Array;
}

/** A layer and what is shown of it. */
export interface Source {
  layer: string;
  of: ImageOf;
}

const MOST_BYTES = 48 * 2 ** 20;
const FEWEST_FRAMES = 16;

/** Feature maps and attention maps over the sampled steps. */
export class ImageTracks {
  private readonly tracks = new Map<string, ImageFrame[]>();
  private readonly known = new Map<string, Source & { samples: Set<number> }>();
  private bytes = 0;
  version = 0;

  append(event: EventOf<"images">) {
    for (const { layer, of, sample, pixels, ...rest } of event.items) {
      const key = `${of}:${layer}`;
      const source = this.known.get(key) ?? { layer, of, samples: new Set<number>() };
      source.samples.add(sample);
      this.known.set(key, source);
      const frame = { ...rest, step: event.step, pixels: decoded(pixels) };
      const before = this.tracks.get(`${key}:${sample}`) ?? [];
      // A later attempt starts again from a checkpoint: for a step that was done twice, its values count.
      const frames = [...before.filter(({ step }) => step < event.step), frame];
      this.bytes += size(frames) - size(before);
      this.tracks.set(`${key}:${sample}`, frames);
    }
    if (this.bytes > MOST_BYTES) this.thin();
    this.version++;
  }

  get sources(): Source[] {
    return [...this.known.values()];
  }

  samples({ layer, of }: Source): number[] {
    return [...(this.known.get(`${of}:${layer}`)?.samples ?? [])].sort((a, b) => a - b);
  }

  of({ layer, of }: Source, sample: number): readonly ImageFrame[] {
    return this.tracks.get(`${of}:${layer}:${sample}`) ?? [];
  }

  private thin() {
    for (const [key, frames] of this.tracks) {
      if (frames.length > FEWEST_FRAMES) this.tracks.set(key, thinned(frames));
    }
    this.bytes = [...this.tracks.values()].reduce((sum, frames) => sum + size(frames), 0);
  }
}

const size = (frames: readonly ImageFrame[]) => frames.reduce((sum, { pixels }) => sum + pixels.length, 0);

function decoded(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
