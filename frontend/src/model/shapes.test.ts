import { describe, expect, it } from "vitest";
import { parseShape, shapeWritten } from "./shapes";

describe("a shape", () => {
  it.each(["3, 32, 32", "3,32,32,", "3×32×32", "3x32 x 32", "3 32 32", "(3, 32, 32)", "[3，32，32]"])(
    "is read from %s",
    (text) => expect(parseShape(text)).toEqual([3, 32, 32]),
  );

  it("may be a single size, or none at all", () => {
    expect(parseShape("32")).toEqual([32]);
    expect(parseShape(" ")).toEqual([]);
  });

  it.each(["3, , 4", "abc", "-1", "1.5", "3, width", "max(3, 4)"])("is not read from %s", (text) =>
    expect(parseShape(text)).toBeNull(),
  );

  it("may be written with names that are known", () => {
    const names = new Set(["width", "depth"]);
    const written = "2 * width, 4, max(width, depth)";
    expect(parseShape(written, names)).toEqual([{ $expr: "2 * width" }, 4, { $expr: "max(width, depth)" }]);
    expect(shapeWritten(parseShape(written, names) ?? [])).toBe(written);
    expect(parseShape("width depth", names)).toEqual([{ $expr: "width" }, { $expr: "depth" }]);
    expect(parseShape("2 * widht, 4", names)).toBeNull();
  });
});
