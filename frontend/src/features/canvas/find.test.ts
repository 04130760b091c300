import { describe, expect, it } from "vitest";
import type { Report } from "@/api/types";
import { digits, MAIN } from "@/model/example.test-data";
import { group } from "@/model/group";
import { findables, finds } from "./find";

const tensor = (...shape: number[]) => ({ shape, dtype: "float32", batch_axes: [0] });
const report = {
  totals: { batch: 2 },
  nodes: { "#n1": { output: tensor(2, 16, 8, 8) }, "#n5": { output: tensor(2, 10) } },
  modules: { "features.1": { output: tensor(2, 16, 4, 4) } },
} as unknown as Report;
const place = { block: MAIN, instance: "" };
const search = (query: string, doc = digits()) =>
  findables(
    doc,
    place,
    () => undefined,
    report,
    (kind) => kind,
  )
    .filter((it) => finds(it, query))
    .map((it) => it.item ?? it.id);

describe("finding", () => {
  it("goes by name, type and shape", () => {
    expect(search("conv")).toEqual(["n1"]);
    expect(search("linear")).toEqual(["n5"]);
    expect(search("flatten")).toEqual(["n4"]);
    expect(search("16x8x8")).toEqual(["n1"]);
    expect(search("×10")).toEqual(["n5"]);
    expect(search("conv linear")).toEqual([]);
  });

  it("finds items of boxes", () => {
    const boxed = group(digits(), MAIN, ["n1", "n2", "n3"], "sequential", { name: "features" });
    expect(search("batchnorm", boxed)).toEqual(["features.1"]);
    expect(search("4x4", boxed)).toEqual(["features.1"]);
  });
});
