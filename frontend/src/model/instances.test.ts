import { describe, expect, it } from "vitest";
import { block, call, holding, linear, network, use } from "./example.test-data";
import { canRepeatNode, detachInstance, instancesOf, repeatNode } from "./instances";
import { memberAt } from "./members";
import { countText } from "./repeat";
import type { Block, Doc } from "./types";

const net = (doc: Doc): Block => doc.blocks.Net as Block;
const items = (doc: Doc, path: string) => (memberAt(net(doc), path) as unknown as { items: unknown[] }).items;
const repeat = (count: number, item: object) => ({
  kind: "repeat",
  variables: ["i"],
  over: { $expr: countText(count) },
  item,
});
const stack = (item: object, count = 4) =>
  network(
    block([holding("sequential", "f", linear("0"), repeat(count, item), linear("2"))], [call("n1", "f", "x")], null),
  );

describe("a repeated node", () => {
  it("is one node still, of a Sequential that holds what it called", () => {
    const doc = network(block([linear("fc")], [call("n1", "fc", "x")], null));
    expect(canRepeatNode(net(doc), "n1")).toBe(true);
    const made = repeatNode(doc, "Net", "n1", 3);
    expect(made?.item).toBe("blocks.*0");
    expect(net(made?.doc as Doc).forward.nodes).toMatchObject([{ id: "n1", target: "blocks" }]);
    expect(items(made?.doc as Doc, "blocks")).toMatchObject([{ kind: "repeat", over: { $expr: "range(3)" } }]);
  });

  it("is none where the node shares what it calls", () => {
    const doc = network(block([linear("fc")], [call("n1", "fc", "x"), call("n2", "fc", "n1")], null));
    expect(repeatNode(doc, "Net", "n1", 3)).toBeNull();
  });
});

describe("an instance of its own", () => {
  it("stands where it stood, whichever it is", () => {
    const over = (index: number) =>
      items(detachInstance(stack(linear("1")), "Net", "f.*1", index)?.doc as Doc, "f").map((item) => {
        const it = item as { kind: string; name?: string; over?: { $expr: string } };
        return it.over?.$expr ?? it.name;
      });
    expect(instancesOf(net(stack(linear("1"))), "f.*1")).toBe(4);
    expect(over(0)).toEqual(["0", "1", "range(3)", "3"]);
    expect(over(1)).toEqual(["0", "1", "2", "range(2)", "4"]);
    expect(over(2)).toEqual(["0", "range(2)", "2", "3", "4"]);
    expect(over(3)).toEqual(["0", "range(3)", "2", "3"]);
    expect(detachInstance(stack(linear("1")), "Net", "f.*1", 2)?.item).toBe("f.2");
    expect(detachInstance(stack(linear("1")), "Net", "f.*1", 4)).toBeNull();
  });

  it("has the value that the variable had there", () => {
    const sized = { ...linear("1"), arguments: { in_features: { $expr: "i" }, out_features: { $expr: "8 * i" } } };
    const doc = detachInstance(stack(sized), "Net", "f.*1", 1)?.doc as Doc;
    expect(items(doc, "f").slice(1, 4)).toMatchObject([
      { name: "1", arguments: { in_features: 0, out_features: { $expr: "8 * 0" } } },
      { name: "2", arguments: { in_features: 1, out_features: { $expr: "8 * 1" } } },
      { kind: "repeat", over: { $expr: "range(2, 4)" } },
    ]);
  });

  it("of a block gets a class of its own", () => {
    const { blocks, ...others } = stack(use("1", "Body"));
    const doc = { ...others, blocks: { ...blocks, Body: net(network(block([linear("fc")], [], null))) } } as Doc;
    const made = detachInstance(doc, "Net", "f.*1", 3)?.doc as Doc;
    expect(Object.keys(made.blocks)).toEqual(["Net", "Body", "Body2"]);
    expect(memberAt(net(made), "f.2")).toMatchObject({ block: "Body2" });
  });
});
