import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";
import { RunView } from "@/live/fold";
import { treeRows } from "./parameterTree";
import { isReplay, stateOf } from "./replay";
import { run } from "./run.test-data";
import { mainMetric, matches } from "./table";

describe("the runs table", () => {
  it("judges a run by its first metric, else by its loss", () => {
    expect(mainMetric(run({ best: { "validation/loss": 0.1, "validation/accuracy": 0.98 } }))).toEqual({
      metric: "accuracy",
      value: 0.98,
    });
    expect(mainMetric(run({ best: { "validation/loss": 0.1 } }))).toEqual({ metric: "loss", value: 0.1 });
    expect(mainMetric(run({}))).toBeNull();
  });

  it("is filtered by every word, in any field and either language", () => {
    const one = run({});
    for (const filter of ["", "digits", "cnn succeeded", "BASELINE", "已完成", "手写数字"]) {
      expect(matches(one, zh, filter), filter).toBe(true);
    }
    expect(matches(one, en, "cnn failed")).toBe(false);
  });
});

describe("the parameter tree", () => {
  const names = ["stem.weight", "stages.0.conv.weight", "stages.0.conv.bias", "stages.1.conv.weight", "scale"];
  it("has a row for every module and parameter, in order", () => {
    expect(treeRows(names, new Set()).map((row) => [row.depth, row.label])).toEqual([
      [0, "stem"],
      [1, "weight"],
      [0, "stages"],
      [1, "0"],
      [2, "conv"],
      [3, "weight"],
      [3, "bias"],
      [1, "1"],
      [2, "conv"],
      [3, "weight"],
      [0, "scale"],
    ]);
  });
  it("hides what lies under a folded module", () => {
    const rows = treeRows(names, new Set(["stages"]));
    expect(rows.map((row) => row.path)).toEqual(["stem", "stem.weight", "stages", "scale"]);
    expect(rows[2]?.folded).toBe(true);
  });
});

describe("a run whose log is read again", () => {
  it("has the state that it ended with until the log has come so far", () => {
    const view = new RunView();
    const ended = run({ state: "succeeded", last_seq: 3 });
    const head = { run: "r", at: 0, kind: "state", reason: "" } as const;
    expect(stateOf(ended, view)).toBe("succeeded");
    view.take({ ...head, seq: 1, state: "running", attempt: 1 });
    expect([stateOf(ended, view), isReplay(ended, view)]).toEqual(["succeeded", true]);
    view.take({ ...head, seq: 2, state: "interrupted", attempt: 1 });
    view.take({ ...head, seq: 3, state: "succeeded", attempt: 2 });
    expect(isReplay(ended, view)).toBe(false);
    // A new attempt: the stream is ahead of what was asked once.
    view.take({ ...head, seq: 4, state: "running", attempt: 3 });
    expect(stateOf(ended, view)).toBe("running");
  });
});
