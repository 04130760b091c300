import { describe, expect, it } from "vitest";
import { Smoother } from "@/lib/smooth";

const smooth = (values: number[], weight: number) => {
  const smoother = new Smoother(weight);
  return values.map((value) => smoother.push(value));
};

describe("Smoother", () => {
  it("keeps a constant exactly constant at every weight", () => {
    for (const weight of [0, 0.3, 0.9, 0.99]) {
      expect(smooth(new Array(500).fill(0.1), weight)).toEqual(new Array(500).fill(0.1));
    }
  });

  it("equals the debiased moving average by its definition", () => {
    const values = [5, -1, 2, 8, 3, 3, 0.5];
    const weight = 0.8;
    const expected = values.map((_, last) => {
      const weights = values.slice(0, last + 1).map((_, index) => weight ** (last - index));
      const sum = weights.reduce((a, b) => a + b, 0);
      return weights.reduce((total, w, index) => total + w * (values[index] as number), 0) / sum;
    });
    smooth(values, weight).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] as number, 12);
    });
  });

  it("hands NaN through as a gap and goes on from the mean before it", () => {
    const [first, gap, after] = smooth([2, Number.NaN, 2], 0.9);
    expect([first, gap, after]).toEqual([2, Number.NaN, 2]);
  });

  it("does nothing at weight zero", () => {
    expect(smooth([1, 9, -3], 0)).toEqual([1, 9, -3]);
  });
});
