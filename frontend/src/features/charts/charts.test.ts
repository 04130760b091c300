import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";
import { shortTick } from "@/lib/format";
import { Series } from "@/live/series";
import { stableIndices } from "@/ui/colours";
import { histogramGrid, rebin } from "./grids";
import { figureText, metricTitle, seriesName, seriesTitle, shortMetricTitle, tickText } from "./groups";
import { extent, type Line, lineData } from "./lines";
import { sparkPath } from "./Sparkline";

function line(values: number[], part: Partial<Line> = {}): Line {
  const series = new Series("train/loss");
  values.forEach((value, index) => {
    series.append(index + 1, (index + 1) / 100, index / 10, 1e9 + index, value);
  });
  return { id: "a", label: "a", colour: 0, series, ...part };
}

const OPTIONS = {
  axis: "step",
  smoothing: 0.9,
  logarithmic: false,
  logarithmicX: false,
  zoom: null,
  width: 300,
} as const;

describe("lineData", () => {
  it("smooths before it thins", () => {
    const values = Array.from({ length: 20_000 }, (_, index) => Math.sin(index / 50) + (index % 7) / 10);
    const of = line(values);
    const { x, smooth } = lineData(of, OPTIONS);
    const exact = of.series.smooth(0.9);
    expect(x.length).toBeLessThan(1500);
    x.forEach((step, place) => {
      expect(smooth[place]).toBe(exact[step - 1]);
    });
  });

  it("shows a constant as the constant", () => {
    const { raw, smooth } = lineData(line(new Array(5_000).fill(0.3)), OPTIONS);
    expect(new Set([...raw, ...smooth])).toEqual(new Set([0.3]));
  });

  it("keeps a spike, and exact values after zooming in", () => {
    const values = Array.from({ length: 50_000 }, (_, index) => 1 / (index + 1));
    values[33_333] = 9;
    expect(Math.max(...(lineData(line(values), OPTIONS).raw as number[]))).toBe(9);
    const close = lineData(line(values), { ...OPTIONS, zoom: [33_300, 33_350] });
    expect(close.x).toEqual(Array.from({ length: 52 }, (_, index) => 33_299 + index));
    expect(close.raw[close.x.indexOf(33_334)]).toBe(9);
  });

  it("leaves a marked gap where a value is not finite", () => {
    const { x, raw, smooth, broken } = lineData(line([...new Array(10).fill(1), Number.NaN, 1]), OPTIONS);
    expect(broken).toEqual([{ from: 11, to: 11, step: 11 }]);
    expect([raw[x.indexOf(11)], smooth[x.indexOf(11)]]).toEqual([null, null]);
  });

  it("marks a run that diverged as one stretch, and scattered gaps as no more than can be told apart", () => {
    const diverged = Array.from({ length: 20_000 }, (_, index) => (index < 500 ? 1 : Number.NaN));
    expect(lineData(line(diverged), OPTIONS).broken).toEqual([{ from: 501, to: 20_000, step: 501 }]);
    const scattered = Array.from({ length: 20_000 }, (_, index) => (index % 2 ? 1 : Number.NaN));
    expect(lineData(line(scattered), OPTIONS).broken.length).toBeLessThanOrEqual(OPTIONS.width / 4);
    const few = [1, Number.NaN, 1, 1, 1, Number.NaN, Number.NaN, 1];
    expect(lineData(line(few), OPTIONS).broken).toEqual([
      { from: 2, to: 2, step: 2 },
      { from: 6, to: 7, step: 6 },
    ]);
  });

  it("does not smooth exact values, and has no place for zero on a logarithmic scale", () => {
    const values = [0, 5, 1, 4, 2, 8, 3, 9, 1, 7];
    expect(lineData(line(values, { exact: true }), OPTIONS).smooth).toEqual(values);
    expect(lineData(line(values, { exact: true }), { ...OPTIONS, logarithmic: true }).smooth[0]).toBeNull();
  });

  it("keeps the first steps apart on a logarithmic axis, and has no place there for zero", () => {
    const of = line(Array.from({ length: 50_000 }, (_, index) => 1 / (index + 1)));
    const logarithmic = { ...OPTIONS, logarithmicX: true };
    const { x } = lineData(of, logarithmic);
    expect(x.slice(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([x.at(-1), x.length < 1500]).toEqual([50_000, true]);
    expect(extent([of], "time", true)).toEqual([0.1, 4999.9]);
    expect(lineData(of, { ...logarithmic, axis: "time" }).x[0]).toBe(0.1);
  });

  it("runs over the time of day, which never goes back", () => {
    const of = line([1, 2]);
    of.series.append(3, 1, 1, 5, 3);
    expect(lineData(of, { ...OPTIONS, axis: "wall" }).x).toEqual([1e9, 1e9 + 1]);
    expect(extent([of], "wall")).toEqual([1e9, 1e9 + 1]);
  });

  it("spans all lines", () => {
    expect(extent([line([1, 2, 3]), line([1, 2, 3, 4, 5])], "step")).toEqual([1, 5]);
    expect(extent([line([1])], "step")).toEqual([0.5, 1.5]);
    expect(extent([], "step")).toEqual([0, 1]);
  });
});

describe("histograms", () => {
  const frame = { step: 4, edges: [-1, 0, 0.5, 2], counts: [10, 20, 30] };
  it("keep their counts in common bins", () => {
    for (const [low, high] of [
      [-1, 2],
      [-5, 5],
    ] as const) {
      expect(rebin(frame, low, high).reduce((a, b) => a + b, 0)).toBeCloseTo(60, 9);
    }
  });
  it("become a grid from the largest value at the top", () => {
    const grid = histogramGrid([frame, { step: 8, edges: [1, 2], counts: [5] }]);
    expect([grid.low, grid.high, grid.steps]).toEqual([-1, 2, [4, 8]]);
    expect(Math.max(...grid.values.filter((value) => !Number.isNaN(value)))).toBe(1);
    expect(Number.isNaN(grid.values[1])).toBe(false);
    expect(Number.isNaN(grid.values.at(-1))).toBe(true);
  });
});

describe("colours of runs", () => {
  it("differ, stay with their run, and come from different families where they can", () => {
    const ids = ["k3x9", "m2qa", "zz81", "aa00", "p0o9", "xxxx", "ab12", "q7w8"];
    const all = stableIndices(ids);
    expect(new Set(all.values()).size).toBe(ids.length);
    expect(stableIndices([...ids].reverse())).toEqual(all);
  });
});

describe("sparkPath", () => {
  it("draws constants in the middle and nothing for nothing", () => {
    expect(sparkPath(Float64Array.of(2, 2, 2))).toContain(" 11.0");
    expect(sparkPath(Float64Array.of(Number.NaN))).toBe("");
  });
});

describe("a value for a reader", () => {
  it("is a percentage where it is a share of a whole, in texts and at axes", () => {
    expect(figureText("accuracy", 0.98333)).toBe("98.33%");
    expect(figureText("digit/f1_score", 1)).toBe("100.00%");
    expect([0.9725, 0.98, 1, 0.1 + 0.2].map((value) => tickText("accuracy", value))).toEqual([
      "97.25%",
      "98%",
      "100%",
      "30%",
    ]);
    expect([figureText("loss", 0.98333), tickText("loss", 0.9725)]).toEqual(["0.9833", "0.9725"]);
  });
  it("is said to be missing or no number as it is", () => {
    expect([figureText("accuracy", Number.NaN), figureText("accuracy", null)]).toEqual(["NaN", "–"]);
  });
});

describe("ticks", () => {
  it("stay short at any size", () => {
    expect([0, 0.05, 12_500, 2e30, -3.25e12, 1e-7].map(shortTick)).toEqual([
      "0",
      "0.05",
      "12,500",
      "2e30",
      "-3.25e12",
      "1e-7",
    ]);
  });
});

describe("names of metrics", () => {
  it("follow the language, short where there is little room, and are never missing", () => {
    expect([metricTitle("mean_absolute_error", zh), shortMetricTitle("mean_absolute_error", en)]).toEqual([
      "平均绝对误差",
      "MAE",
    ]);
    expect(seriesTitle("validation/accuracy", en)).toBe("Accuracy · validation");
    expect(shortMetricTitle("some_new_metric", zh)).toBe("some new metric");
    expect(["MulticlassAUROC", "MulticlassFBetaScore", "R2Score", "MulticlassLogAUC"].map(seriesName)).toEqual([
      "auroc",
      "f_beta_score",
      "r2_score",
      "log_auc",
    ]);
  });
});
