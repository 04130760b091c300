import { readBlock, type Streamed } from "@/live/blocks";

export type Link = "connecting" | "live" | "lost" | "closed";

/** What a connection needs of a WebSocket. */
export interface Socket {
  binaryType: BinaryType;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  close: (code?: number) => void;
}

export interface ConnectionOptions {
  /** What has to be there before a socket is opened; null when it is. Rejected: tried again, as after a break. */
  prepare?: () => Promise<void> | null;
  /** Opens a socket that replays the log after a seq, then goes on live. */
  open: (after: number) => Socket;
  /** Highest seq that was taken. */
  after: () => number;
  /** Takes events in order; false asks for a replay, because one is missing. */
  take: (events: Streamed[]) => boolean;
  onLink: (link: Link) => void;
  onRefused: (code: number) => void;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
/** After a sleep or a change of network a socket may look open with nobody at its end; one that spoke just now is not. */
const QUIET_MS = 5_000;
/** Close codes of the service after which the same request is useless: bad cursor, no session, no such run. */
const FINAL = new Set([4400, 4401, 4404]);

/** Keeps one socket open, and after each break goes on behind the last event that was taken. */
export class Connection {
  private readonly options: ConnectionOptions;
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private stopped = false;
  /** Rises with every attempt to connect, so that an answer to an earlier one is known as such. */
  private attempt = 0;
  private preparing = false;
  /** When the socket was opened or last spoke. */
  private heard = 0;

  constructor(options: ConnectionOptions) {
    this.options = options;
  }

  start() {
    this.stopped = false;
    if (typeof window !== "undefined") {
      window.addEventListener("online", this.wake);
      document.addEventListener("visibilitychange", this.wake);
    }
    this.connect("connecting");
  }

  stop() {
    this.stopped = true;
    if (typeof window !== "undefined") {
      window.removeEventListener("online", this.wake);
      document.removeEventListener("visibilitychange", this.wake);
    }
    clearTimeout(this.timer);
    this.drop();
  }

  /** Tries again at once, without waiting for the timer. */
  readonly now = () => {
    if (this.stopped || this.preparing || this.socket !== null) return;
    clearTimeout(this.timer);
    this.connect("lost");
  };

  /** The network or the reader is back. */
  private readonly wake = () => {
    if (document.hidden) return;
    if (Date.now() - this.heard > QUIET_MS) this.drop();
    this.now();
  };

  private connect(link: Link) {
    this.options.onLink(link);
    const prepared = this.options.prepare?.() ?? null;
    if (prepared === null) return this.open();
    const attempt = ++this.attempt;
    this.preparing = true;
    const then = (next: () => void) => () => {
      if (attempt !== this.attempt) return;
      this.preparing = false;
      if (!this.stopped) next();
    };
    prepared.then(
      then(() => this.open()),
      then(() => this.later()),
    );
  }

  private open() {
    const socket = this.options.open(this.options.after());
    this.socket = socket;
    this.heard = Date.now();
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.options.onLink("live");
    socket.onmessage = ({ data }) => this.receive(data);
    socket.onclose = ({ code }) => this.closed(code);
  }

  private receive(data: unknown) {
    this.heard = Date.now();
    const message = data instanceof ArrayBuffer ? readBlock(data) : (JSON.parse(String(data)) as Streamed | Streamed[]);
    const before = this.options.after();
    const whole = this.options.take(Array.isArray(message) ? message : [message]);
    // Only an event that was taken proves that the way is whole: a service that accepts and hangs up, or whose log has
    // a hole, is asked ever more rarely.
    if (this.options.after() > before) this.failures = 0;
    if (whole) return;
    this.drop();
    if (this.failures++ === 0) this.connect("lost");
    else this.later();
  }

  private closed(code: number) {
    this.socket = null;
    if (this.stopped) return;
    if (FINAL.has(code)) {
      this.stopped = true;
      this.options.onLink("closed");
      this.options.onRefused(code);
      return;
    }
    this.later();
  }

  private later() {
    this.options.onLink("lost");
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures++);
    // Spread, so that many viewers do not come back in the same moment.
    this.timer = setTimeout(() => this.connect("lost"), wait * (0.75 + Math.random() / 2));
  }

  private drop() {
    this.attempt++;
    this.preparing = false;
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(1000);
  }
}
