import { describe, expect, it } from "vitest";
import type { Value } from "@/api/types";
import { choice } from "@/model/values";
import { formatValue, parseList, parseValue } from "./literals";

const slice = (...[start, stop, step = null]: Value[]): Value => ({
  $slice: [start ?? null, stop ?? null, step],
});

const PAIRS: [string, Value][] = [
  ["None", null],
  ["True", true],
  ["-3", -3],
  ["1e-05", 0.00001],
  ["'it\\'s'", "it's"],
  ["[1, 2.5, [False]]", [1, 2.5, [false]]],
  ["(3, 3)", { $tuple: [3, 3] }],
  ["(3,)", { $tuple: [3] }],
  ["()", { $tuple: [] }],
  ["{'a': 1, 'b': (2, 3)}", { $dict: { a: 1, b: { $tuple: [2, 3] } } }],
  ["torch.float32", { $dtype: "float32" }],
  ["torch.nn.functional.gelu", { $function: "torch.nn.functional.gelu" }],
  ["(..., 1:, ::2, :)", { $tuple: [{ $ellipsis: true }, slice(1, null), slice(null, null, 2), slice(null, null)] }],
  ["1:-1", slice(1, -1)],
  ["0.5 if training else None", choice("training", 0.5, null)],
  ["[1 if not training else 2]", [choice("not training", 1, 2)]],
  ["(1 if a else 2) if b else 3 if c else 4", choice("b", choice("a", 1, 2), choice("c", 3, 4))],
  ["1 if (a if b else c) else 2", choice("a if b else c", 1, 2)],
  ["1 if (mode == 'if else' and (a, b)[0]) else 2", choice("mode == 'if else' and (a, b)[0]", 1, 2)],
  ["inf", { $float: "inf" }],
  ["-inf", { $float: "-inf" }],
  [
    "torch.nn.Linear(in_features=3, bias=False)",
    { $layer: { target: "torch.nn.Linear", arguments: { in_features: 3, bias: false } } },
  ],
];

describe("values as Python literals", () => {
  it.each(PAIRS)("%s is written and read", (text, value) => {
    expect(formatValue(value)).toBe(text);
    expect(parseValue(text)).toEqual(value);
  });

  it("reads what people write", () => {
    expect(parseValue(" ( 1 , 2 ) ")).toEqual({ $tuple: [1, 2] });
    expect(parseValue("(7)")).toBe(7);
    expect(parseValue('"a b"')).toBe("a b");
    expect(parseValue("1_000")).toBe(1000);
    expect(parseValue("1 if (a) and (b == 'if') else 2")).toEqual(choice("(a) and (b == 'if')", 1, 2));
  });

  it.each([
    "",
    "[1, 2",
    "(1 2)",
    "__import__('os')",
    "1 +",
    "'open",
    "{1: 2}",
    "f(3)",
    "1e999",
    "--1",
    "1 if a",
    "1 if else 2",
    "1 if a) else 2",
    "1:2:3:4",
  ])("refuses %j", (text) => {
    expect(() => parseValue(text)).toThrow(SyntaxError);
  });
});

it("takes a list without its brackets", () => {
  expect([parseList("30, 60"), parseList("[30, 60]"), parseList("30")]).toEqual([[30, 60], [30, 60], 30]);
});
