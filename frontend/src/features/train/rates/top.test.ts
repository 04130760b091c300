import { expect, it } from "vitest";
import { topOf } from "./top";

it("gives the fall two thirds of the height, whatever diverges after it", () => {
  const fall = [2.3, 2.4, 2.0, 1.2, 0.4];
  expect(topOf([...fall, 0.5, 0.9, 1.6])).toBe(2.4);
  expect(topOf([...fall, 0.9, 40, 4000])).toBeCloseTo(3.4);
  expect(topOf([...fall, 0.9, Number.POSITIVE_INFINITY])).toBe(2.4);
  // What has not risen yet is shown as it is.
  expect(topOf(fall)).toBe(2.4);
});

it("shows all of a loss that never fell", () => {
  expect(topOf([1, 2, 8])).toBe(8);
  expect(topOf([3])).toBe(3);
  expect(topOf([])).toBe(1);
});
