import { describe, expect, it } from "vitest";
import type { SeriesSlice } from "@/api/types";
import { Series } from "@/live/series";

/** What the service would say of values at steps 1, 2, 3… in cells of some. */
function slice(values: number[], size: number, first = 1): SeriesSlice {
  const cells: [number, number[]][] = [];
  for (let at = 0; at < values.length; at += size) cells.push([first + at, values.slice(at, at + size)]);
  const finite = (cell: number[]) => cell.filter(Number.isFinite);
  const orNull = (value: number) => (Number.isFinite(value) ? value : null);
  return {
    name: "train/loss",
    total: values.length,
    counts: cells.map(([, cell]) => cell.length),
    steps: cells.map(([step]) => step),
    lasts: cells.map(([step, cell]) => step + cell.length - 1),
    epochs: cells.map(([step]) => step / 10),
    times: cells.map(([step]) => step / 100),
    clock: cells.map(([step]) => 1000 + step / 100),
    lows: cells.map(([, cell]) => orNull(Math.min(...finite(cell)))),
    highs: cells.map(([, cell]) => orNull(Math.max(...finite(cell)))),
    means: cells.map(([, cell]) => orNull(finite(cell).reduce((sum, value) => sum + value, 0) / finite(cell).length)),
    broken: cells.map(([, cell]) => cell.length - finite(cell).length),
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => Math.sin(i / 7) + (i === 333 ? 9 : 0));
const plain = (series: Series) => [[...series.steps.view()], [...series.values.view()]];

describe("Series", () => {
  it("shows lowest and highest values of cells, and goes on with values", () => {
    const series = new Series("train/loss");
    series.refine(slice([...numbers(1000), 0.5], 10));
    expect(series.best("max")).toBe(Math.max(...numbers(1000)));
    expect(series.best("min")).toBe(Math.min(...numbers(1000)));
    expect(series.last()).toBe(0.5);
    expect(series.steps.length).toBe(201);
    series.append(1002, 100.2, 10.02, 1010.02, 0.25);
    expect(series.last()).toBe(0.25);
    expect([series.isSummary(0), series.isSummary(1), series.isSummary(200)]).toEqual([true, true, false]);
    for (const axis of ["step", "epoch", "time", "wall"] as const) {
      const xs = [...series.axis(axis).view()];
      expect(xs.every((x, i) => i === 0 || x > (xs[i - 1] as number))).toBe(true);
    }
  });

  it("is the same after refinement as if every value had come", () => {
    const values = numbers(1000);
    const [coarse, exact] = [new Series("train/loss"), new Series("train/loss")];
    coarse.refine(slice(values, 10));
    exact.refine(slice(values, 1));
    const steps = coarse.coarse("step", [305.5, 420]) as [number, number];
    expect(steps).toEqual([301, 430]);
    coarse.refine(slice(values.slice(steps[0] - 1, steps[1]), 1, steps[0]));
    expect(coarse.coarse("step", [305.5, 420])).toBeNull();
    const part = (series: Series) => {
      const [all, of] = plain(series);
      return (all as number[])
        .map((step, i) => [step, of?.[i]])
        .filter(([step]) => (step as number) > 300 && (step as number) <= 430);
    };
    expect(part(coarse)).toEqual(part(exact));
    coarse.refine(slice(values.slice(0, 300), 1));
    coarse.refine(slice(values.slice(430), 1, 431));
    expect(plain(coarse)).toEqual(plain(exact));
    expect([...coarse.smooth(0.9)]).toEqual([...exact.smooth(0.9)]);
  });

  it("smooths cells as so many values that are their mean", () => {
    const [coarse, exact] = [new Series("train/loss"), new Series("train/loss")];
    coarse.refine(slice([...Array(10).fill(1), ...Array(10).fill(3)], 10));
    exact.refine(slice([...Array(10).fill(1), ...Array(10).fill(3)], 1));
    expect(coarse.smooth(0.8)[3]).toBeCloseTo(exact.smooth(0.8)[19] as number, 12);
    expect(coarse.smooth(0.8)[1]).toBe(1);
  });

  it("marks where values are not finite, and knows what it has to ask for again", () => {
    const series = new Series("train/loss");
    series.refine(slice([1, 2, Number.NaN, 4, 5, 6, Number.NaN, Number.NaN], 4));
    expect(plain(series)).toEqual([
      [1, 2, 4, 5, 6, 8],
      [1, Number.NaN, 4, 5, Number.NaN, 6],
    ]);
    series.append(5, 0.5, 0.05, 1000.05, 7);
    expect([series.torn, series.steps.length, series.last()]).toEqual([false, 4, 7]);
    series.append(3, 0.3, 0.03, 1000.03, 8);
    expect([series.torn, series.rewinds]).toEqual([true, 2]);
  });
});
