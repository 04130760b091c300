import type { EventOf, RunState, SeriesPage } from "@/api/types";
import type { Columns, Streamed } from "@/live/blocks";
import { ImageTracks } from "@/live/images";
import { Series } from "@/live/series";
import { HistogramTracks, LayerTracks, ParameterTracks } from "@/live/tracks";

/** The parts of a run that change independently; a viewer of one is not told of the others. */
export const TOPICS = [
  "state",
  "progress",
  "series",
  "statistics",
  "histograms",
  "activations",
  "images",
  "sampling",
  "log",
  "checkpoints",
] as const;
export type Topic = (typeof TOPICS)[number];

export interface LogLine {
  seq: number;
  at: number;
  level: EventOf<"log">["level"];
  message: string;
}

const MOST_LINES = 20_000;
const JITTER_S = 2;

/** Everything that is known of a run: a fold of its log of events, the same live, after a reload or years later. */
export class RunView {
  lastSeq = 0;
  /** The event up to which the series were read: of those before it only some come. Null until they were. */
  curves: number | null = null;
  state: RunState = "queued";
  reason = "";
  attempt = 0;
  progress: EventOf<"progress"> | null = null;
  readonly series = new Map<string, Series>();
  readonly statistics = new ParameterTracks();
  readonly histograms = new HistogramTracks();
  readonly activations = new LayerTracks();
  readonly images = new ImageTracks();
  /** What statistics cost, and how often each kind was sampled of late. */
  sampling: EventOf<"sampling"> | null = null;
  log: LogLine[] = [];
  checkpoints: EventOf<"checkpoint">[] = [];
  problem: EventOf<"problem"> | null = null;
  /** By kind: how many events the operator did not want kept any longer. */
  readonly thinned = new Map<string, number>();
  /** When training would have begun, had it never paused: seconds since 1970. */
  private began = 0;
  /** What was measured since the series were asked for once more. */
  private meanwhile: Columns[] | null = null;

  /**
   * Takes the next event of the log.
   *
   * @returns which part changed; "double" for an event that was taken before; "gap" when one is missing between, in
   * which case nothing changed and the log has to be asked again from `lastSeq`.
   */
  take(event: Streamed): Topic | "double" | "gap" {
    if (event.seq <= this.lastSeq) return "double";
    const curves = this.curves ?? 0;
    if (event.seq > curves && event.seq !== this.lastSeq + 1) return "gap";
    this.lastSeq = event.seq;
    // Its values are there, but now everything else is, too.
    if (event.kind === "metrics" && event.seq <= curves) return "state";
    return this.apply(event);
  }

  /** Takes what the service says of all series, in place of what is known of them. */
  load(page: SeriesPage) {
    this.series.clear();
    let newest = Number.NEGATIVE_INFINITY;
    for (const slice of page.items) {
      const series = new Series(slice.name);
      series.refine(slice);
      this.series.set(slice.name, series);
      const time = slice.times.at(-1) ?? newest;
      if (time > newest) this.began = (slice.clock.at(-1) as number) - time;
      newest = Math.max(newest, time);
    }
    this.curves ??= page.last_seq;
    const later = this.meanwhile?.filter((event) => event.seq > page.last_seq) ?? [];
    this.meanwhile = null;
    for (const event of later) this.measure(event);
  }

  /** Values were taken back of which only a summary was known: all series have to be loaded anew. Told once. */
  torn(): boolean {
    if (this.meanwhile !== null || ![...this.series.values()].some((series) => series.torn)) return false;
    this.meanwhile = [];
    return true;
  }

  private apply(event: Streamed): Topic {
    switch (event.kind) {
      case "state":
        return this.enter(event);
      case "progress":
        this.progress = event;
        return "progress";
      case "metrics":
        this.measure(event);
        return "series";
      case "statistics":
        this.statistics.append(event);
        return "statistics";
      case "histograms":
        this.histograms.append(event);
        return "histograms";
      case "activations":
        this.activations.append(event);
        return "activations";
      case "images":
        this.images.append(event);
        return "images";
      case "sampling":
        this.sampling = event;
        return "sampling";
      case "log":
        this.write(event);
        return "log";
      case "checkpoint":
        this.checkpoints = [...this.checkpoints.filter((one) => one.step !== event.step), event];
        return "checkpoints";
      case "thinned":
        this.thinned.set(event.of, (this.thinned.get(event.of) ?? 0) + 1);
        return event.of;
      case "adjusted":
        return "state";
      case "problem":
        this.problem = event;
        return "state";
    }
  }

  private enter(event: EventOf<"state">): Topic {
    this.state = event.state;
    this.reason = event.reason;
    this.attempt = Math.max(this.attempt, event.attempt);
    // What ended an earlier attempt says nothing of the one that runs now.
    if (event.state === "running") this.problem = null;
    return "state";
  }

  private write({ seq, at, level, message }: EventOf<"log">) {
    this.log.push({ seq, at, level, message });
    // Never more than a reader can scroll; a tenth at a time, so that a long log is not moved with every line.
    if (this.log.length > 1.1 * MOST_LINES) this.log = this.log.slice(-MOST_LINES);
  }

  private measure(event: Columns) {
    this.meanwhile?.push(event);
    const began = event.at - (event.times[event.times.length - 1] ?? 0);
    // An event is written as its last step is done, now a little later and now less; only more than that is a pause.
    if (Math.abs(began - this.began) > JITTER_S) this.began = began;
    for (const [name, values] of Object.entries(event.series)) {
      const broken = new Set(event.nonfinite[name]);
      let series = this.series.get(name);
      if (series === undefined) {
        series = new Series(name);
        this.series.set(name, series);
      }
      for (let i = 0; i < event.steps.length; i++) {
        const step = event.steps[i] as number;
        const value = values[i] ?? Number.NaN;
        // What is neither a number nor listed was not measured at this step.
        if (!Number.isNaN(value) || broken.has(step)) {
          const time = event.times[i] ?? 0;
          series.append(step, event.epochs[i] ?? 0, time, this.began + time, value);
        }
      }
    }
  }
}
