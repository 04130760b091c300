import { describe, expect, it } from "vitest";
import type { Entry } from "@/api/types";
import { nearLabel, search } from "./search";
import { type Listed, layersOf, operationsOf } from "./things";

const entry = (name: string, category: string, ...keywords: string[]): Entry =>
  ({ name, label: name.slice(name.lastIndexOf(".") + 1), category, keywords, summary: "" }) as unknown as Entry;

const layers = [
  entry("torch.nn.Bilinear", "linear", "双线性", "线性"),
  entry("torch.nn.Conv1d", "convolution", "一维卷积", "卷积", "conv"),
  entry("torch.nn.Conv2d", "convolution", "二维卷积", "卷积", "conv"),
  entry("torch.nn.GLU", "activation", "门控线性单元", "gated linear unit"),
  entry("torch.nn.Identity", "linear", "恒等", "skip"),
  entry("torch.nn.Linear", "linear", "全连接", "dense", "fully connected", "线性"),
  entry("torch.nn.LinearCrossEntropyLoss", "loss", "线性交叉熵"),
  entry("torch.nn.BatchNorm2d", "normalization", "批归一化"),
  entry("torch.nn.SyncBatchNorm", "normalization", "同步批归一化"),
  entry("torch.nn.RMSNorm", "normalization"),
];
const operations = [
  entry("torch.lu", "linear algebra", "线性代数"),
  entry("torch.mm", "linear algebra", "线性代数"),
  entry("torch.nn.functional.linear", "linear", "线性"),
  entry("torch.Tensor.to_dense", "tensor"),
  entry("torch.batch_norm", "normalization"),
];
const all: Listed[] = [...layersOf({ layers } as never), ...operationsOf({ operations } as never)];
const found = (query: string, axes: number | null = null) => search(all, query, axes).map(({ label }) => label);

describe("a search among layers", () => {
  it("gives the whole name first, then its beginning, a word's beginning, its inside, and words for the same", () => {
    expect(found("Linear")).toEqual(["Linear", "linear", "LinearCrossEntropyLoss", "Bilinear", "Identity"]);
    expect(found("dense")).toEqual(["to_dense", "Linear"]);
    expect(found("norm")).toEqual(["RMSNorm", "BatchNorm2d", "SyncBatchNorm", "batch_norm"]);
  });

  it("gives what only has it inside other words where nothing else is found", () => {
    expect(found("algebra")).toEqual(["lu", "mm"]);
    expect(found("gated")).toEqual(["GLU"]);
    expect(found("fully connected")).toEqual(["Linear"]);
  });

  it("takes Chinese words, short forms, full names, and words written apart", () => {
    expect(found("卷积")).toEqual(["Conv1d", "Conv2d"]);
    expect(found("二维卷积")).toEqual(["Conv2d"]);
    expect(found("线性")).toEqual(["Linear", "Bilinear", "linear"]);
    expect(found("bn2d")).toEqual(["BatchNorm2d"]);
    expect(found("F.linear")).toEqual(["linear"]);
    expect(found("nn.Linear")).toEqual(["Linear"]);
    expect(found("batch norm")).toEqual(found("batchnorm"));
    expect(found("norm batch")).toEqual(["BatchNorm2d", "SyncBatchNorm", "batch_norm"]);
    expect(found("nothing of it")).toEqual([]);
  });

  it("puts what suits a value first, but whoever types a whole name means it", () => {
    expect(found("conv", 4)).toEqual(["Conv2d", "Conv1d"]);
    expect(found("conv1d", 4)).toEqual(["Conv1d"]);
  });
});

it("a label is near by any of its words", () => {
  const labels = ["Arrange the selection", "Redo", "Repeat", "Previous", "Undo"];
  const near = labels.map((label) => nearLabel(label, "re"));
  expect(near).toEqual([null, 80, 80, 40, null]);
  expect(nearLabel("Arrange the selection", "the sel")).toBe(60);
  expect(nearLabel("Arrange the selection", "sel arr")).toBe(60);
  expect(nearLabel("Undo", "undo")).toBe(100);
});
