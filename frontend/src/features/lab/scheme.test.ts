import { describe, expect, it } from "vitest";
import type { LabReport } from "@/api/types";
import { judged, placesOf, scaleOf, valuesOf } from "./scheme";

const moments = (...variance: (number | null)[]) => ({ mean: variance.map(() => 0), variance });
const call = (name: string, weighs: boolean) => ({ name, target: "torch.nn.Linear", call: 0, weighs });
/** Three layers with weights and one without, two seeds. */
const report = (outputs: [number, number | null][]): LabReport => ({
  batch: 32,
  seeds: [0, 1],
  steady: { forward: 10, backward: 100 },
  factors: { forward: 1e4, backward: 1e6 },
  ready: [],
  calls: [call("0", true), call("1", false), call("2", true), call("3", true)],
  schemes: [
    {
      name: "one",
      rules: [],
      outputs: outputs.map((it) => moments(...it)),
      gradients: outputs.map(() => moments(1, 1)),
    },
  ],
});
const schemeOf = (it: LabReport) => it.schemes[0] as LabReport["schemes"][number];

describe("a scheme", () => {
  it("is read layer by layer, over the seeds, with or without layers that have no weights", () => {
    const shown = report([
      [1, 3],
      [7, 7],
      [2, 2],
      [0.5, 1.5],
    ]);
    expect(placesOf(shown, true)).toEqual([0, 2, 3]);
    expect(placesOf(shown, false)).toEqual([0, 1, 2, 3]);
    expect(valuesOf(schemeOf(shown), "variance", placesOf(shown, true))).toEqual([2, 2, 1]);
    expect(judged(shown, schemeOf(shown), "variance")).toEqual({ verdict: "steady", ratio: 0.5, layers: 3 });
  });

  it.each([
    [1, "steady"],
    [10, "steady"],
    [10.1, "grows"],
    [143, "grows"],
    [1e4, "grows"],
    [1.1e4, "explodes"],
    [0.1, "steady"],
    [0.099, "fades"],
    [0.049, "fades"],
    [1e-4, "fades"],
    [0.9e-4, "vanishes"],
    [0, "vanishes"],
  ])("whose variance changes by %d over its layers is said to be: %s", (ratio, verdict) => {
    const last: [number, number] = [ratio, ratio];
    const shown = report([[1, 1], [1, 1], [1, 1], last]);
    expect(judged(shown, schemeOf(shown), "variance")?.verdict).toBe(verdict);
  });

  it("gives gradients the room that the service gives them", () => {
    const shown = report([
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
    const scheme = (ratio: number) => ({
      ...schemeOf(shown),
      gradients: [ratio, 1, 1, 1].map((it) => moments(it, it)),
    });
    expect(judged(shown, scheme(100), "gradient")?.verdict).toBe("steady");
    expect(judged(shown, scheme(101), "gradient")?.verdict).toBe("grows");
  });

  it("vanishes or explodes by the service's measure, on the way that is looked at", () => {
    const fades = report([
      [1, 1],
      [1, 1],
      [1e-3, 1e-3],
      [9e-5, 9e-5],
    ]);
    expect(judged(fades, schemeOf(fades), "variance")?.verdict).toBe("vanishes");
    expect(judged(fades, schemeOf(fades), "gradient")?.verdict).toBe("steady");
    const breaks = report([
      [1, 1],
      [1, 1],
      [1, null],
      [2, 2],
    ]);
    expect(judged(breaks, schemeOf(breaks), "variance")).toMatchObject({
      verdict: "explodes",
      ratio: Number.POSITIVE_INFINITY,
    });
  });

  it("is drawn to one scale with the others", () => {
    const scale = scaleOf(
      [
        [1e-6, 10],
        [null, Number.NaN],
      ],
      "variance",
    );
    expect([scale.low, scale.high]).toEqual([1e-6, 10]);
    expect([scale.of(1e-6), scale.of(0), scale.of(10), scale.of(1e9)]).toEqual([0, 0, 1, 1]);
    const means = scaleOf([[-2, 1]], "mean");
    expect([means.of(-2), means.of(0), means.of(2)]).toEqual([0, 0.5, 1]);
  });
});
