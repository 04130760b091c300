import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { readNumber } from "./numbers";

const t = en.common.forms;
const any = { whole: false };

describe("a typed number", () => {
  it("has a point or a comma, in the digits of any input method", () => {
    expect(["1.0", "0.50", "0,5", " 1e-3 ", "０．５"].map((text) => readNumber(text, any, t))).toEqual([
      1, 0.5, 0.5, 0.001, 0.5,
    ]);
  });

  it("is refused with what is wanted", () => {
    const refused: [string, Parameters<typeof readNumber>[1], string][] = [
      ["abc", any, t.notNumber],
      ["", any, t.needed],
      ["1,000", { whole: true }, t.notInteger],
      ["1.5", { whole: true }, t.notInteger],
      ["0", { whole: true, minimum: 1 }, t.tooSmall(1)],
      ["9", { whole: true, maximum: 8 }, t.tooLarge(8)],
      ["0", { whole: false, above: 0 }, t.above(0)],
      ["1", { whole: false, below: 1 }, t.below(1)],
    ];
    for (const [text, range, message] of refused) expect(() => readNumber(text, range, t), text).toThrow(message);
  });
});
