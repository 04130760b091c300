import { expireSession } from "@/api/session";
import type { RunEvent } from "@/api/types";
import { Connection, type Link } from "@/live/connection";
import { RunView, TOPICS, type Topic } from "@/live/fold";
import { type Drawable, drawLoop } from "@/live/loop";

type Part = Topic | "link";

/** What concerns hundreds of parameters is told more rarely: nobody reads faster. */
const PERIODS_MS: Partial<Record<Part, number>> = { statistics: 500, histograms: 500 };

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
      open: (after) => new WebSocket(streamAddress(id, after)),
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

  private take(events: RunEvent[]): boolean {
    for (const event of events) {
      const changed = this.view.take(event);
      if (changed === "gap") return false;
      if (changed !== "double") this.touch(changed);
    }
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

function streamAddress(id: string, after: number): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/api/runs/${encodeURIComponent(id)}/stream?after=${after}`;
}
