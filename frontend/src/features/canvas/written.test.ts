import { describe, expect, it } from "vitest";
import { readCall } from "./written";

describe("a call as Python writes it", () => {
  it("has a name, positional and named arguments", () => {
    expect(readCall("self.conv = nn.Conv2d(3, 16, kernel_size=(3, 5), bias=False)")).toEqual({
      name: "conv",
      callee: "Conv2d",
      positional: [3, 16],
      named: [
        ["kernel_size", { $tuple: [3, 5] }],
        ["bias", false],
      ],
    });
    expect(readCall("ReLU")).toEqual({ name: null, callee: "ReLU", positional: [], named: [] });
    expect(readCall('Upsample(scale_factor=2.5, mode="bilinear", size=None)')?.named).toEqual([
      ["scale_factor", 2.5],
      ["mode", "bilinear"],
      ["size", null],
    ]);
    expect(readCall("LayerNorm([4, 8], 1e-6)")?.positional).toEqual([[4, 8], 1e-6]);
  });

  it("may be on its way", () => {
    expect(readCall("fc = Linear(")?.positional).toEqual([]);
    expect(readCall("fc = Linear(64, ")?.positional).toEqual([64]);
    expect(readCall("fc = Linear(64, 10")?.positional).toEqual([64, 10]);
  });

  it("is nothing else than literals, and names that Python allows", () => {
    for (const text of ["Linear(width)", "Linear(2 * 3)", "Linear(in_features=)", "class = Linear(1, 2)", "a b(1)"])
      expect(readCall(text), text).toBeNull();
    expect(readCall("Linear(in_features=1, 2)"), "positional after named").toBeNull();
  });
});
