import { describe, expect, it } from "vitest";
import type { RunEvent } from "@/api/types";
import { RunView } from "@/live/fold";

const head = (seq: number) => ({ run: "r", seq, at: seq });

function metrics(seq: number, steps: number[], loss: (number | null)[], broken: number[] = []): RunEvent {
  return {
    ...head(seq),
    kind: "metrics",
    steps,
    epochs: steps.map((step) => step / 10),
    times: steps.map((step) => step / 100),
    series: { "train/loss": loss },
    nonfinite: broken.length > 0 ? { "train/loss": broken } : {},
  };
}

const state = (seq: number, name: "running" | "failed" | "queued"): RunEvent => ({
  ...head(seq),
  kind: "state",
  state: name,
  reason: "",
  attempt: 1,
});

const loss = (view: RunView) => view.series.get("train/loss");

describe("RunView", () => {
  it("takes events in order and ignores those it has", () => {
    const view = new RunView();
    expect(view.take(metrics(1, [1, 2], [0.9, 0.8]))).toBe("series");
    expect(view.take(metrics(1, [1, 2], [0.9, 0.8]))).toBe("double");
    expect(view.lastSeq).toBe(1);
    expect([...(loss(view)?.values.view() ?? [])]).toEqual([0.9, 0.8]);
  });

  it("knows at what time of day each step was done", () => {
    const view = new RunView();
    view.take({ ...metrics(1, [100, 200], [0.9, 0.8]), at: 5000 } as RunEvent);
    expect([...(loss(view)?.clock.view() ?? [])]).toEqual([4999, 5000]);
    // A little late, and after a pause.
    view.take({ ...metrics(2, [300], [0.7]), at: 5001.5 } as RunEvent);
    view.take({ ...metrics(3, [400], [0.6]), at: 9000 } as RunEvent);
    expect([...(loss(view)?.clock.view() ?? [])]).toEqual([4999, 5000, 5001, 9000]);
  });

  it("refuses an event behind a gap and stays as it was", () => {
    const view = new RunView();
    view.take(metrics(1, [1], [0.9]));
    expect(view.take(metrics(3, [3], [0.7]))).toBe("gap");
    expect(view.lastSeq).toBe(1);
    expect(view.take(metrics(2, [2], [0.8]))).toBe("series");
    expect(view.take(metrics(3, [3], [0.7]))).toBe("series");
    expect([...(loss(view)?.steps.view() ?? [])]).toEqual([1, 2, 3]);
  });

  it("is the same however the log arrives", () => {
    const log = [state(1, "running"), metrics(2, [1, 2], [3, 2]), metrics(3, [3], [1]), state(4, "failed")];
    const whole = new RunView();
    for (const event of log) whole.take(event);
    const broken = new RunView();
    for (const event of [...log.slice(0, 3), ...log.slice(1)]) broken.take(event);
    expect([...(loss(broken)?.values.view() ?? [])]).toEqual([...(loss(whole)?.values.view() ?? [])]);
    expect([broken.state, broken.lastSeq]).toEqual([whole.state, whole.lastSeq]);
  });

  it("tells a value that was not finite from one that was not measured", () => {
    const view = new RunView();
    view.take(metrics(1, [1, 2, 3], [0.5, null, null], [2]));
    expect([...(loss(view)?.steps.view() ?? [])]).toEqual([1, 2]);
    expect(loss(view)?.values.at(1)).toBeNaN();
    expect(loss(view)?.best("min")).toBe(0.5);
  });

  it("lets a later attempt's values count for a step that was done twice", () => {
    const view = new RunView();
    view.take(metrics(1, [1, 2, 3, 4], [4, 3, 2, 1]));
    loss(view)?.smooth(0.5);
    view.take(metrics(2, [3, 4], [20, 10]));
    expect([...(loss(view)?.values.view() ?? [])]).toEqual([4, 3, 20, 10]);
    expect(loss(view)?.smooth(0.5)).toHaveLength(4);
  });

  it("forgets the problem of an attempt when the next one runs", () => {
    const view = new RunView();
    view.take({
      ...head(1),
      kind: "problem",
      traceback: "Traceback",
      problem: {
        code: "trainer_lost",
        severity: "error",
        message: "gone",
        block: null,
        node: null,
        member: null,
        instance: null,
        port: null,
        pointer: null,
        data: {},
        fixes: [],
      },
    });
    expect(view.problem?.problem.code).toBe("trainer_lost");
    view.take(state(2, "running"));
    expect(view.problem).toBeNull();
  });

  it("keeps norms by parameter and thins them when they are many", () => {
    const view = new RunView();
    for (let seq = 1; seq <= 3000; seq++) {
      view.take({
        ...head(seq),
        kind: "statistics",
        step: seq,
        names: ["fc.weight", "fc.bias"],
        weight_norm: [seq, null],
        gradient_norm: [1 / seq, 0.5],
        update_norm: [],
      });
    }
    const { statistics } = view;
    expect(statistics.names).toEqual(["fc.weight", "fc.bias"]);
    expect(statistics.steps.length).toBeLessThanOrEqual(2048);
    expect(statistics.norms.get("fc.weight")?.weight.length).toBe(statistics.steps.length);
    expect(statistics.norms.get("fc.weight")?.weight.last()).toBe(3000);
    expect(statistics.norms.get("fc.bias")?.weight.last()).toBeNaN();
  });

  it("keeps histograms of many parameters within bounds, the older ones in less detail", () => {
    const view = new RunView();
    const edges = Array.from({ length: 33 }, (_, index) => index);
    const counts = new Array(32).fill(1);
    const names = Array.from({ length: 400 }, (_, index) => `layer${index}.weight`);
    const items = names.flatMap((name) => (["weight", "gradient"] as const).map((of) => ({ name, of, edges, counts })));
    for (let seq = 1; seq <= 600; seq++) view.take({ ...head(seq), kind: "histograms", step: seq, items });
    const frames = view.histograms.of("layer7.weight", "gradient");
    expect(2 * names.length * frames.length * 65 * 4).toBeLessThanOrEqual(64 * 2 ** 20);
    const steps = frames.map((frame) => frame.step);
    expect(steps[0]).toBe(1);
    expect(steps.slice(-50)).toEqual(Array.from({ length: 50 }, (_, index) => 551 + index));
    expect(Array.from(frames[0]?.edges ?? [])).toEqual(edges);
    view.take({ ...head(601), kind: "histograms", step: 590, items: items.slice(0, 2) });
    expect(view.histograms.of("layer0.weight", "weight").at(-1)?.step).toBe(590);
    expect(view.histograms.of("layer0.weight", "weight").at(-2)?.step).toBe(589);
  });
});
