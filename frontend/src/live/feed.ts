import { ApiError } from "@/api/errors";
import { expireSession } from "@/api/session";
import type { Streamed } from "@/live/blocks";
import { Connection, type Link } from "@/live/connection";
import { readSeries } from "@/live/curves";
import { RunView, TOPICS, type Topic } from "@/live/fold";
import { type Drawable, drawLoop } from "@/live/loop";
import type { Axis, Series } from "@/live/series";

type Part = Topic | "link";

/** What concerns hundreds of parameters is told more rarely: nobody reads faster. */
const PERIODS_MS: Partial<Record<Part, number>> = { statistics: 500, histograms: 500, activations: 500, images: 500 };

/** One run as it is followed by the page: a connection, the fold of its events, and who wants to know of what. */
export class RunFeed {
  readonly id: string;
  view = new RunView();
  link: Link = "connecting";
  /** The service's close code, when it refused for good. */
  refused: number | null = null;
  private readonly versions = new Map<Part, number>();
  private readonly listeners = new Map<Part, Set<() => void>>();
  private readonly drawables = new Map<Part, Drawable>();
  private readonly connection: Connection;

  constructor(id: string) {
    this.id = id;
    this.connection = new Connection({
      prepare: () => (this.view.curves === null ? this.load() : null),
      open: (after) => new WebSocket(streamAddress(id, after, this.view.curves ?? 0)),
      after: () => this.view.lastSeq,
      take: (events) => this.take(events),
      onLink: (link) => {
        if (link === this.link) return;
        this.link = link;
        this.touch("link");
      },
      onRefused: (code) => this.refuse(code),
    });
  }

  start() {
    this.connection.start();
  }

  stop() {
    this.connection.stop();
    for (const drawable of this.drawables.values()) drawLoop.forget(drawable);
  }

  /** Reconnects without waiting. */
  retry() {
    this.connection.now();
  }

  /** Calls back at most ten times a second when a part has changed. */
  readonly subscribe = (part: Part, listener: () => void): (() => void) => {
    const listeners = this.listeners.get(part) ?? new Set();
    this.listeners.set(part, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  };

  version(part: Part): number {
    return this.versions.get(part) ?? 0;
  }

  /**
   * Asks for more detail of a part of the axis where only summaries are known of the values.
   *
   * @param range on the axis.
   */
  readonly refine = (axis: Axis, range: readonly [number, number]) => {
    const wanted = new Map<string, { steps: [number, number]; series: Series[] }>();
    for (const series of this.view.series.values()) {
      const steps = series.coarse(axis, range);
      if (steps === null) continue;
      const key = steps.join();
      const together = wanted.get(key) ?? { steps, series: [] };
      wanted.set(key, together);
      together.series.push(series);
    }
    for (const { steps, series } of wanted.values()) void this.detail(steps, series);
  };

  private async detail(steps: [number, number], wanted: Series[]) {
    const rewinds = wanted.map((series) => series.rewinds);
    try {
      const page = await readSeries(this.id, { steps, names: wanted.map((series) => series.name) });
      wanted.forEach((series, index) => {
        const slice = page.items.find((item) => item.name === series.name);
        if (slice !== undefined && series.rewinds === rewinds[index]) series.refine(slice);
      });
      this.touch("series");
    } catch (error) {
      // What is shown stays true, only coarse; the link's banner tells of a service that is away.
      if (!(error instanceof Error)) throw error;
    }
  }

  /** Reads all series as they are now. */
  private async load() {
    const { view } = this;
    try {
      const page = await readSeries(this.id);
      if (view !== this.view) return;
      view.load(page);
      this.touch("series");
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        this.connection.stop();
        this.refuse(4404);
      }
      throw error;
    }
  }

  private take(events: Streamed[]): boolean {
    for (const event of events) {
      const changed = this.view.take(event);
      if (changed === "gap") return false;
      if (changed !== "double") this.touch(changed);
    }
    if (this.view.torn()) void this.load().catch(() => this.restart());
    return true;
  }

  private refuse(code: number) {
    if (code === 4401) expireSession();
    if (code === 4400 && this.view.lastSeq > 0) return this.restart();
    this.refused = code;
    this.touch("link");
  }

  /** The service knows of fewer events than were seen here: its store was put back. What it has now is what counts. */
  private restart() {
    this.view = new RunView();
    for (const topic of TOPICS) this.touch(topic);
    this.connection.stop();
    this.connection.start();
  }

  private touch(part: Part) {
    let drawable = this.drawables.get(part);
    if (drawable === undefined) {
      drawable = { period: PERIODS_MS[part] ?? 100, visible: () => true, draw: () => this.notify(part) };
      this.drawables.set(part, drawable);
    }
    drawLoop.mark(drawable);
  }

  private notify(part: Part) {
    this.versions.set(part, this.version(part) + 1);
    for (const listener of this.listeners.get(part) ?? []) listener();
  }
}

function streamAddress(id: string, after: number, curves: number): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/api/runs/${encodeURIComponent(id)}/stream?after=${after}&curves=${curves}&blocks=1`;
}
