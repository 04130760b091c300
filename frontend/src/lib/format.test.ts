import { describe, expect, it } from "vitest";
import { bytes, clock, duration, moment, shortNumber } from "@/lib/format";

describe("numbers for a reader", () => {
  it("has four digits, and powers of ten at the ends", () => {
    expect([0, 0.003, 0.123456, 12.5, 1234, 24_583.7, 0.00002, 12_345_678, Number.NaN].map(shortNumber)).toEqual([
      "0",
      "0.003",
      "0.1235",
      "12.5",
      "1,234",
      "24,580",
      "2.00e-5",
      "1.23e+7",
      "NaN",
    ]);
    expect(shortNumber(null)).toBe("–");
  });
  it("writes a date as its reader's language does", () => {
    const noon = new Date(2026, 10, 30, 17, 5, 9).getTime() / 1000;
    expect(moment(noon, "en")).toMatch(/^11\/30\/26, 5:05:09\sPM$/);
    expect(moment(noon, "zh-Hans")).toBe("2026/11/30 17:05:09");
  });
  it("writes a moment as exactly as it is needed", () => {
    const noon = new Date(2026, 5, 30, 14, 5, 9).getTime() / 1000;
    expect([2, 60, 7200, 200_000].map((span) => clock(noon, span))).toEqual([
      "14:05:09.0",
      "14:05:09",
      "14:05",
      "06-30 14:05",
    ]);
  });
  it("writes durations and sizes", () => {
    expect([4.27, 59.6, 187, 3723, 187_200].map(duration)).toEqual(["4.3 s", "1:00", "3:07", "1:02:03", "2 d 4 h"]);
    expect([0, 1023, 1536, 5 * 2 ** 30].map(bytes)).toEqual(["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]);
  });
});
