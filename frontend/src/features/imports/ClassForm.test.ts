import { describe, expect, it } from "vitest";
import type { SourceClass } from "@/api/types";
import { plain, requestOf } from "./ClassForm";

const cls: SourceClass = {
  name: "Net",
  line: 3,
  arguments: [
    {
      name: "width",
      kinds: ["int"],
      required: true,
      default: null,
      nullable: false,
      choices: [],
      length: null,
      variadic: false,
      keyword: false,
      auto: false,
      minimum: null,
      doc: "",
    },
  ],
  inputs: ["x", "y"],
};

describe("requestOf", () => {
  it("sends what was typed, and nothing for inputs whose shape is to be found", () => {
    const given = { arguments: { width: 8 }, inputs: { x: { shape: "3×32×32", dtype: "float32" } } };
    expect(requestOf("code", cls, given)).toEqual({
      source: "code",
      name: "Net",
      arguments: { width: 8 },
      inputs: { x: { shape: [3, 32, 32], dtype: "float32" } },
    });
  });

  it("waits for what is required, and for shapes that can be read", () => {
    expect(requestOf("code", cls, { arguments: {}, inputs: {} })).toBeNull();
    const wrong = { arguments: { width: 8 }, inputs: { y: { shape: "three", dtype: "float32" } } };
    expect(requestOf("code", cls, wrong)).toBeNull();
    expect(requestOf("code", cls, { arguments: { width: { $expr: "a" } }, inputs: {} })).toBeNull();
  });

  it("leaves out arguments that another class of the text took", () => {
    expect(requestOf("code", cls, { arguments: { width: 1, depth: 2 }, inputs: {} })?.arguments).toEqual({ width: 1 });
  });
});

it("takes tuples as lists, and no value that JSON does not know", () => {
  expect(plain({ $tuple: [1, 2] })).toEqual([1, 2]);
  expect(plain([[1], [2]])).toBeUndefined();
  expect(plain(null)).toBeNull();
});
