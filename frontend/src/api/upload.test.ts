import { describe, expect, it } from "vitest";
import { datasetName } from "@/api/upload";

describe("datasetName", () => {
  it("makes a name of any file's", () => {
    expect(["My Data (1).csv", "iris.NPZ", "数据.csv", "--a--.tsv", `${"x".repeat(80)}.csv`].map(datasetName)).toEqual([
      "my-data-1",
      "iris",
      "data",
      "a",
      "x".repeat(63),
    ]);
  });
});
