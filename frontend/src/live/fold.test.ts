import { describe, expect, it } from "vitest";
import type { RunEvent, SeriesPage } from "@/api/types";
import { readBlock } from "@/live/blocks";
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
        nonfinite: { gradient: [] },
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

  const page = (values: number[], counts: number[], last_seq: number): SeriesPage => {
    const steps = counts.map((_, i) => counts.slice(0, i).reduce((sum, count) => sum + count, 1));
    const cell = {
      name: "train/loss",
      total: counts.reduce((sum, count) => sum + count, 0),
      counts,
      steps,
      lasts: steps.map((step, i) => step + (counts[i] as number) - 1),
      epochs: steps.map((step) => step / 10),
      times: steps.map((step) => step / 100),
      clock: steps.map((step) => 500 + step / 100),
      lows: values,
      highs: values,
      means: values,
      broken: counts.map(() => 0),
    };
    return { items: [cell], last_seq };
  };

  it("goes on from loaded series without a gap and without a double", () => {
    const view = new RunView();
    view.load(page([1, 2, 3], [1, 1, 1], 9));
    expect(view.take(state(2, "running"))).toBe("state");
    expect(view.take(metrics(11, [4], [9]))).toBe("gap");
    expect(view.take(metrics(9, [3], [7]))).toBe("state");
    expect(view.lastSeq).toBe(9);
    expect(view.take(metrics(8, [2], [7]))).toBe("double");
    expect(view.take(metrics(10, [4], [4]))).toBe("series");
    expect([...(loss(view)?.values.view() ?? [])]).toEqual([1, 2, 3, 4]);
    expect(view.take(metrics(12, [5], [5]))).toBe("gap");
  });

  it("loads anew when a summary lost values, and keeps what came meanwhile", () => {
    const view = new RunView();
    view.load(page([1, 2], [100, 100], 9));
    view.take(metrics(9, [200], [2]));
    expect(view.torn()).toBe(false);
    view.take(metrics(10, [150], [5]));
    expect([view.torn(), view.torn()]).toEqual([true, false]);
    view.take(metrics(11, [151], [6]));
    view.load(page([1, 2, 5], [100, 49, 1], 10));
    expect([...(loss(view)?.steps.view() ?? [])].slice(-3)).toEqual([149, 150, 151]);
    expect(view.torn()).toBe(false);
  });

  it("reads columns from a block of memory", () => {
    const head = JSON.stringify({
      run: "r",
      seq: 1,
      at: 9,
      kind: "metrics",
      length: 2,
      series: ["train/loss", "b"],
      nonfinite: { "train/loss": [2] },
    });
    const padded = new TextEncoder().encode(head.padEnd(Math.ceil(head.length / 8) * 8));
    const columns = new Float64Array([1, 2, 0.1, 0.2, 0.01, 0.02, 0.5, Number.NaN, Number.NaN, 7]);
    const frame = new Uint8Array(8 + padded.length + columns.byteLength);
    frame[0] = 1;
    new DataView(frame.buffer).setUint32(4, padded.length, true);
    frame.set(padded, 8);
    frame.set(new Uint8Array(columns.buffer), 8 + padded.length);
    const view = new RunView();
    expect(view.take(readBlock(frame.buffer))).toBe("series");
    expect([...(loss(view)?.values.view() ?? [])]).toEqual([0.5, Number.NaN]);
    expect([...(view.series.get("b")?.steps.view() ?? [])]).toEqual([2]);
  });

  it("keeps maps by layer and sample, and what was done twice once", () => {
    const view = new RunView();
    const item = { layer: "conv", of: "features" as const, maps: 1, total: 1, rows: 1, columns: 2, size: [1, 2] };
    const image = (sample: number, pixels: string) => ({ ...item, sample, low: -1, high: 1, pixels });
    const items = [image(0, "AP8="), image(1, "AQI=")];
    view.take({ ...head(1), kind: "images", step: 5, items });
    view.take({ ...head(2), kind: "images", step: 9, items });
    view.take({ ...head(3), kind: "images", step: 7, items });
    const source = { layer: "conv", of: "features" as const };
    expect(view.images.sources).toMatchObject([source]);
    expect(view.images.samples(source)).toEqual([0, 1]);
    expect(view.images.of(source, 0).map(({ step }) => step)).toEqual([5, 7]);
    expect([...(view.images.of(source, 0)[0]?.pixels ?? [])]).toEqual([0, 255]);
  });

  it("marks a norm that is not finite, and not one that was not measured", () => {
    const view = new RunView();
    const names = ["a", "b"];
    const norms = { weight_norm: [1, 1], gradient_norm: [null, null], update_norm: [] };
    view.take({ ...head(1), kind: "statistics", step: 1, names, ...norms, nonfinite: { gradient: ["a"] } });
    expect(view.statistics.norms.get("a")?.gradient.last()).toBe(Number.POSITIVE_INFINITY);
    expect(view.statistics.norms.get("b")?.gradient.last()).toBeNaN();
  });
});
