import { describe, expect, it } from "vitest";
import { differences, settings } from "@/lib/difference";

const a = { optimizer: { name: "AdamW", arguments: { lr: 0.003 } }, epochs: 20, shape: [1, 8, 8], clip: null };
const b = {
  optimizer: { name: "AdamW", arguments: { lr: 0.01, amsgrad: true } },
  epochs: 20,
  shape: [1, 8, 8],
  clip: null,
};

describe("differences", () => {
  it("names only settings that differ, and those that one side lacks", () => {
    expect(differences([a, b])).toEqual([
      { path: "optimizer.arguments.lr", values: ["0.003", "0.01"] },
      { path: "optimizer.arguments.amsgrad", values: [undefined, "true"] },
    ]);
  });
  it("finds nothing between equals", () => {
    expect(differences([a, a, a])).toEqual([]);
  });
  it("can name all", () => {
    expect(settings([a]).map((row) => row.path)).toEqual([
      "optimizer.name",
      "optimizer.arguments.lr",
      "epochs",
      "shape",
      "clip",
    ]);
  });
});
