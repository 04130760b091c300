import { describe, expect, it } from "vitest";
import { datasetName } from "@/api/upload";

describe("datasetName", () => {
  it("makes a name of any file's", () => {
    const files = ["My Data (1).csv", "iris.NPZ", "训练 数据.csv", "--a--.tsv", `${"x".repeat(80)}.csv`, "!.csv"];
    expect(files.map((file) => datasetName(file))).toEqual([
      "my-data-1",
      "iris",
      "训练-数据",
      "a",
      "x".repeat(63),
      "data",
    ]);
  });
  it("never takes another's", () => {
    expect(datasetName("good.npz", ["good"])).toBe("good-2");
    expect(datasetName("good.npz", ["good", "good-2"])).toBe("good-3");
    expect(datasetName(`${"x".repeat(80)}.csv`, ["x".repeat(63)])).toBe(`${"x".repeat(58)}-2`);
  });
});
