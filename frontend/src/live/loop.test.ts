import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DrawLoop } from "@/live/loop";

describe("DrawLoop", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["requestAnimationFrame", "performance"] }));
  afterEach(() => void vi.useRealTimers());

  it("draws what is marked at most ten times a second, and then the newest", () => {
    const loop = new DrawLoop();
    let value = 0;
    const drawn: number[] = [];
    const chart = { visible: () => true, draw: () => drawn.push(value) };
    for (let ms = 0; ms < 1_000; ms += 10) {
      value = ms;
      loop.mark(chart);
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(200);
    expect(drawn.length).toBeGreaterThanOrEqual(8);
    expect(drawn.length).toBeLessThanOrEqual(12);
    expect(drawn.at(-1)).toBe(990);
  });

  it("leaves out what is off the screen until it is back, and what was forgotten", () => {
    const loop = new DrawLoop();
    let visible = false;
    const draw = vi.fn();
    const chart = { visible: () => visible, draw };
    const gone = { visible: () => true, draw: vi.fn() };
    loop.mark(chart);
    loop.mark(gone);
    loop.forget(gone);
    vi.advanceTimersByTime(500);
    expect(draw).not.toHaveBeenCalled();
    visible = true;
    vi.advanceTimersByTime(200);
    expect(draw).toHaveBeenCalledTimes(1);
    expect(gone.draw).not.toHaveBeenCalled();
  });
});
