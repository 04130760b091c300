import { describe, expect, it } from "vitest";
import type { RunSummary } from "@/api/types";
import { treeRows } from "./parameterTree";
import { mainMetric, matches } from "./table";

function run(part: Partial<RunSummary>): RunSummary {
  return {
    id: "r",
    name: "Digits CNN",
    tags: ["baseline"],
    state: "succeeded",
    desired: "run",
    attempt: 1,
    dataset: "digits",
    model: "DigitsCNN",
    created_at: 0,
    started_at: null,
    ended_at: null,
    step: 0,
    steps: 0,
    epoch: 0,
    epochs: 0,
    last: {},
    best: {},
    parameters: 0,
    last_seq: 0,
    ...part,
  };
}

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
    for (const filter of ["", "digits", "cnn succeeded", "BASELINE", "已完成"]) {
      expect(matches(one, "已完成", filter), filter).toBe(true);
    }
    expect(matches(one, "Finished", "cnn failed")).toBe(false);
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
