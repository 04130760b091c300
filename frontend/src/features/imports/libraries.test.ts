import { describe, expect, it } from "vitest";
import type { LibraryNetwork } from "@/api/types";
import { families, found, requestOf, shapesOf } from "./libraries";

const network = (name: string, family: string, task: LibraryNetwork["task"] = "classification"): LibraryNetwork => ({
  name,
  family,
  task,
  part: "",
  parameters: 1,
  inputs: [[3, 224, 224]],
  kept: true,
});
const ALL = [
  network("resnet101", "ResNet"),
  network("resnet18", "ResNet"),
  network("wide_resnet50_2", "ResNet"),
  network("vit_b_16", "VisionTransformer"),
  network("fcos_resnet50_fpn", "FCOS", "detection"),
];
const names = (query: string, task: LibraryNetwork["task"] | null = null) =>
  found(ALL, query, task).map((it) => it.name);

describe("found", () => {
  it("finds by parts of the name and by the family, however they are written", () => {
    expect(names("resnet50")).toEqual(["wide_resnet50_2", "fcos_resnet50_fpn"]);
    expect(names("Vision Transformer")).toEqual(["vit_b_16"]);
    expect(names("ViT-B-16")).toEqual(["vit_b_16"]);
    expect(names("bert")).toEqual([]);
  });

  it("puts the name itself first", () => {
    expect(found([network("resnet18_x", "ResNet"), ...ALL], "resnet18", null)[0]?.name).toBe("resnet18");
  });

  it("keeps to a task", () => {
    expect(names("resnet50", "detection")).toEqual(["fcos_resnet50_fpn"]);
  });
});

describe("families", () => {
  it("orders families by name, and members as a person counts", () => {
    expect(families(ALL).map(([family, members]) => [family, members.map((it) => it.name)])).toEqual([
      ["FCOS", ["fcos_resnet50_fpn"]],
      ["ResNet", ["resnet18", "resnet101", "wide_resnet50_2"]],
      ["VisionTransformer", ["vit_b_16"]],
    ]);
  });
});

it("writes the shapes of all inputs", () => {
  expect(
    shapesOf({
      ...network("raft", "RAFT"),
      inputs: [
        [3, 8, 8],
        [3, 8, 8],
      ],
    }),
  ).toBe("3×8×8, 3×8×8");
});

it("states the shapes of what has to be made", () => {
  const asked = { ...network("r3d_18", "VideoResNet"), inputs: [[3, 16, 112, 112]] };
  expect(requestOf(asked)).toEqual({ source: "torchvision:r3d_18", part: "", inputs: {} });
  expect(requestOf({ ...asked, kept: false }).inputs).toEqual({ "0": { shape: [3, 16, 112, 112] } });
});
