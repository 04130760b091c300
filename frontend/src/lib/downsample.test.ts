import { describe, expect, it } from "vitest";
import { lowerBound, minMaxIndices, nearest } from "@/lib/downsample";

describe("minMaxIndices", () => {
  const wave = Float64Array.from({ length: 100_000 }, (_, index) => Math.sin(index / 700));

  it("keeps every spike, however narrow", () => {
    const values = wave.slice();
    for (const at of [3, 41_234, 77_777, 99_998]) values[at] = at % 2 === 0 ? 50 : -50;
    const kept = new Set(minMaxIndices(values, 0, values.length, 400));
    for (const at of [3, 41_234, 77_777, 99_998]) expect(kept.has(at), `spike at ${at}`).toBe(true);
  });

  it("keeps gaps, both ends, and the order, within a few points a pixel", () => {
    const values = wave.slice();
    values[50_000] = Number.NaN;
    const kept = minMaxIndices(values, 0, values.length, 400);
    expect(kept).toContain(50_000);
    expect([kept[0], kept.at(-1)]).toEqual([0, values.length - 1]);
    expect(kept.every((index, place) => place === 0 || index > (kept[place - 1] as number))).toBe(true);
    expect(kept.length).toBeLessThanOrEqual(400 * 3 + 2);
  });

  it("keeps all points when there are few, and only those of the range", () => {
    expect(minMaxIndices(wave, 10, 15, 400)).toEqual([10, 11, 12, 13, 14]);
    expect(minMaxIndices(wave, 5, 5, 400)).toEqual([]);
  });
});

describe("search in ascending values", () => {
  const values = Float64Array.of(1, 3, 3, 7);
  it("finds the first that is not below", () => {
    expect([0, 1, 2, 3, 8].map((wanted) => lowerBound(values, wanted))).toEqual([0, 0, 1, 1, 4]);
  });
  it("finds the nearest", () => {
    expect([-5, 1.9, 2.1, 5.1, 99].map((wanted) => nearest(values, wanted))).toEqual([0, 0, 1, 3, 3]);
    expect(nearest(new Float64Array(), 1)).toBe(-1);
  });
});
