import type { EventOf, RunEvent, RunState } from "@/api/types";
import { Series } from "@/live/series";
import { HistogramTracks, ParameterTracks } from "@/live/tracks";

/** The parts of a run that change independently; a viewer of one is not told of the others. */
export const TOPICS = ["state", "progress", "series", "statistics", "histograms", "log", "checkpoints"] as const;
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
  state: RunState = "queued";
  reason = "";
  attempt = 0;
  progress: EventOf<"progress"> | null = null;
  readonly series = new Map<string, Series>();
  readonly statistics = new ParameterTracks();
  readonly histograms = new HistogramTracks();
  log: LogLine[] = [];
  checkpoints: EventOf<"checkpoint">[] = [];
  problem: EventOf<"problem"> | null = null;
  /** When training would have begun, had it never paused: seconds since 1970. */
  private began = 0;

  /**
   * Takes the next event of the log.
   *
   * @returns which part changed; "double" for an event that was taken before; "gap" when one is missing between, in
   * which case nothing changed and the log has to be asked again from `lastSeq`.
   */
  take(event: RunEvent): Topic | "double" | "gap" {
    if (event.seq <= this.lastSeq) return "double";
    if (event.seq !== this.lastSeq + 1) return "gap";
    this.lastSeq = event.seq;
    return this.apply(event);
  }

  private apply(event: RunEvent): Topic {
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
      case "log":
        this.write(event);
        return "log";
      case "checkpoint":
        this.checkpoints = [...this.checkpoints.filter((one) => one.step !== event.step), event];
        return "checkpoints";
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

  private measure(event: EventOf<"metrics">) {
    const began = event.at - (event.times.at(-1) ?? 0);
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
        const value = values[i] ?? (broken.has(step) ? Number.NaN : undefined);
        if (value !== undefined) {
          const time = event.times[i] ?? 0;
          series.append(step, event.epochs[i] ?? 0, time, this.began + time, value);
        }
      }
    }
  }
}
