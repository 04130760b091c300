import { describe, expect, it } from "vitest";
import type { Report } from "@/api/types";
import { block, call, holding, linear, network, use } from "@/model/example.test-data";
import type { Block } from "@/model/types";
import { problemsInside } from "./inside";

const problem = (name: string, instance: string | null, severity = "error") => ({
  code: "expression_invalid",
  severity,
  message: `wrong in ${name}`,
  block: name,
  instance,
  fixes: [],
});
const doc = network(
  block(
    [use("outer", "Outer"), use("other", "Other"), holding("sequential", "f", linear("0"), use("1", "Inner"))],
    [call("n1", "outer", "x"), call("n2", "other", "n1"), call("n3", "f", "n2")],
    { $ref: "n3" },
  ),
  {
    blocks: {
      Outer: block([use("in", "Inner")], [call("n1", "in", "x")], { $ref: "n1" }),
      Inner: block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" }),
      Other: block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" }),
    },
  },
);
const found = (target: string, ...problems: object[]) => {
  const report = { problems } as unknown as Report;
  const { problem: first, paths } = problemsInside(
    { doc, place: { block: "Net", instance: "" }, report },
    doc.blocks.Net as Block,
    target,
  );
  return [first?.message ?? null, ...paths];
};

describe("problems inside a block", () => {
  it("mark every node through which they are reached", () => {
    const everywhere = problem("Inner", null);
    expect(found("outer", everywhere)).toEqual(["wrong in Inner", "outer"]);
    expect(found("other", everywhere)).toEqual([null]);
    expect(found("f", everywhere)).toEqual(["wrong in Inner", "f.1"]);
  });

  it("mark one instance, where it is one that has them", () => {
    const one = problem("Inner", "outer.in");
    expect(found("outer", one)).toEqual(["wrong in Inner", "outer"]);
    expect(found("f", one)).toEqual([null]);
  });

  it("lead to an error first", () => {
    expect(found("outer", problem("Outer", "outer", "warning"), problem("Inner", null))[0]).toBe("wrong in Inner");
  });
});
