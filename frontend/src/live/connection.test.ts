import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { RunEvent } from "@/api/types";
import { Connection, type Link, type Socket } from "@/live/connection";

/** The service's end of a socket. */
class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  closed = false;
  readonly after: number;
  constructor(after: number) {
    this.after = after;
  }
  close() {
    this.closed = true;
  }
  accept() {
    this.onopen?.(new Event("open"));
  }
  send(seq: number) {
    const event: RunEvent = { kind: "log", run: "r", seq, at: 0, level: "info", message: "" };
    this.onmessage?.(new MessageEvent("message", { data: JSON.stringify(event) }));
  }
  hangUp(code = 1006) {
    this.onclose?.(new CloseEvent("close", { code }));
  }
}

function follow() {
  const sockets: FakeSocket[] = [];
  const links: Link[] = [];
  const refused: number[] = [];
  let last = 0;
  const connection = new Connection({
    open: (after) => {
      const socket = new FakeSocket(after);
      sockets.push(socket);
      return socket;
    },
    after: () => last,
    take: (events) =>
      events.every(({ seq }) => {
        if (seq > last + 1) return false;
        last = Math.max(last, seq);
        return true;
      }),
    onLink: (link) => links.push(link),
    onRefused: (code) => refused.push(code),
  });
  connection.start();
  const newest = () => sockets.at(-1) as FakeSocket;
  return { connection, sockets, links, refused, newest, last: () => last };
}

describe("Connection", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("comes back behind the last event that it took", () => {
    const { newest, sockets, links, last } = follow();
    newest().accept();
    newest().send(1);
    newest().send(2);
    newest().hangUp();
    expect(links.at(-1)).toBe("lost");
    vi.advanceTimersByTime(1_000);
    expect(sockets).toHaveLength(2);
    expect(newest().after).toBe(2);
    newest().accept();
    newest().send(3);
    expect(last()).toBe(3);
    expect(links.at(-1)).toBe("live");
  });

  it("asks again when an event is missing", () => {
    const { newest, sockets, last } = follow();
    newest().accept();
    newest().send(1);
    newest().send(3);
    expect(sockets[0]?.closed).toBe(true);
    expect(newest().after).toBe(1);
    newest().accept();
    newest().send(2);
    newest().send(3);
    expect(last()).toBe(3);
  });

  it("waits longer after each failure, at most ten seconds, and begins anew after an event", () => {
    const { newest, sockets } = follow();
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt++) {
      const before = sockets.length;
      newest().hangUp();
      let waited = 0;
      while (sockets.length === before) {
        vi.advanceTimersByTime(50);
        waited += 50;
      }
      waits.push(waited);
    }
    expect(waits[0]).toBeLessThanOrEqual(350);
    expect(waits.at(-1)).toBeGreaterThan(5_000);
    expect(waits.at(-1)).toBeLessThanOrEqual(10_050);
    newest().accept();
    newest().send(1);
    const before = sockets.length;
    newest().hangUp();
    vi.advanceTimersByTime(400);
    expect(sockets.length).toBe(before + 1);
  });

  it("does not come back after a refusal or when it is stopped", () => {
    const first = follow();
    first.newest().hangUp(4404);
    const second = follow();
    second.connection.stop();
    vi.advanceTimersByTime(60_000);
    expect(first.refused).toEqual([4404]);
    expect(first.sockets).toHaveLength(1);
    expect(second.sockets).toHaveLength(1);
    expect(second.sockets[0]?.closed).toBe(true);
    window.dispatchEvent(new Event("online"));
    expect(first.sockets).toHaveLength(1);
  });

  it("tries at once when the network is back", () => {
    const { newest, sockets } = follow();
    newest().hangUp();
    window.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(2);
    vi.advanceTimersByTime(60_000);
    expect(sockets).toHaveLength(2);
  });

  it("asks ever more rarely for a log that has a hole", () => {
    const { newest, sockets } = follow();
    for (let second = 0; second < 60; second++) {
      for (let asked = 0; asked < 100 && !newest().closed; asked++) {
        newest().accept();
        newest().send(5);
      }
      vi.advanceTimersByTime(1_000);
    }
    expect(sockets.length).toBeGreaterThan(4);
    expect(sockets.length).toBeLessThan(20);
  });

  it("does not trust a socket that was silent while the machine slept or changed its network", () => {
    const { connection, newest, sockets, last } = follow();
    newest().accept();
    newest().send(1);
    window.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(60_000);
    window.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(2);
    expect([sockets[0]?.closed, newest().after]).toEqual([true, 1]);
    vi.advanceTimersByTime(60_000);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(sockets).toHaveLength(3);
    newest().accept();
    newest().send(2);
    expect(last()).toBe(2);
    connection.stop();
  });
});
