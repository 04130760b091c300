import type { EventOf, RunEvent } from "@/api/types";

/** Columns of numbers as they come in a binary frame: views of its memory, NaN where JSON has null. */
export interface Columns extends Omit<EventOf<"metrics">, "steps" | "epochs" | "times" | "series"> {
  steps: ArrayLike<number>;
  epochs: ArrayLike<number>;
  times: ArrayLike<number>;
  series: Record<string, ArrayLike<number | null>>;
}

/** An event on its way to the fold. */
export type Streamed = Exclude<RunEvent, EventOf<"metrics">> | Columns;

/** Bytes before the head: the mark and the head's length. */
const LEAD = 8;
const KNOWN = 1;
const ASIDE = 3;

interface Head extends Omit<Columns, "steps" | "epochs" | "times" | "series"> {
  length: number;
  series: string[];
}

/** Reads a binary frame of the stream; its form is described in the service's `api/frames.py`. */
export function readBlock(frame: ArrayBuffer): Streamed {
  const lead = new DataView(frame);
  if (lead.getUint8(0) !== KNOWN) throw new Error("a frame of the stream has an unknown form");
  const size = lead.getUint32(4, true);
  const {
    length,
    series: names,
    ...head
  } = JSON.parse(new TextDecoder().decode(new Uint8Array(frame, LEAD, size))) as Head;
  const column = (index: number) => new Float64Array(frame, LEAD + size + 8 * index * length, length);
  const series = Object.fromEntries(names.map((name, index) => [name, column(ASIDE + index)]));
  return { ...head, steps: column(0), epochs: column(1), times: column(2), series };
}
