import { describe, expect, it } from "vitest";
import { renameMember } from "./arrange";
import { semantic } from "./edit";
import { alias, block, call, digits, holding, linear, MAIN, network, use } from "./example.test-data";
import { extract, extractRefused } from "./extract";
import { edges, nodeAt, place } from "./graph";
import { inline } from "./inline";
import type { Block, Doc } from "./types";

const net = (doc: Doc, name = "Net"): Block => doc.blocks[name] as Block;
const made = (doc: Doc, ids: string[], outer = "Net") => {
  const found = extract(doc, outer, ids, "Part");
  if (!found) throw new Error("refused");
  return found;
};
const back = (doc: Doc, id: string, outer = "Net") => inline(doc, outer, id)?.doc as Doc;
const names = (it: Block) => it.members.map((member) => member.name);
const wires = (it: Block) => edges(it.forward).map((edge) => edge.id);

describe("a block of selected nodes", () => {
  it("takes nodes and members along, and gives them back as they were", () => {
    const doc = { ...digits(), frozen: ["conv.weight", "fc.*"] };
    const { doc: grouped, id } = made(doc, ["n1", "n2", "n3"], MAIN);
    expect(names(net(grouped, MAIN))).toEqual(["part", "fc"]);
    expect(names(net(grouped, "Part"))).toEqual(["conv", "batch_norm", "relu"]);
    expect(wires(net(grouped, MAIN))).toEqual([`input:x→${id}:x`, `${id}→n4:input`, "n4→n5:input", "n5→output:"]);
    expect(wires(net(grouped, "Part"))).toEqual(["input:x→n1:input", "n1→n2:input", "n2→n3:input", "n3→output:"]);
    expect(grouped.frozen).toEqual(["part.conv.weight", "fc.*"]);
    expect(semantic(back(grouped, id, MAIN))).toEqual(semantic(doc));
  });

  it("has an input for each value that comes in and an output for each that is used outside", () => {
    const nodes = [
      call("n1", "a", "x"),
      call("n2", "b", "n1", [0]),
      {
        op: "function",
        id: "n3",
        target: "torch.add",
        arguments: { input: { $ref: "n1", path: [1] }, other: { $ref: "n2" } },
      },
      call("n4", "c", "n3"),
    ];
    const doc = network(
      block([linear("a"), linear("b"), linear("c")], nodes, { $tuple: [{ $ref: "n2" }, { $ref: "n4" }] }),
    );
    const { doc: grouped, id } = made(doc, ["n2", "n3"]);
    expect(net(grouped, "Part").forward).toMatchObject({
      inputs: [{ name: "x" }, { name: "x2" }],
      output: { $tuple: [{ $ref: "n2" }, { $ref: "n3" }] },
    });
    expect(nodeAt(net(grouped).forward, id)).toMatchObject({
      arguments: { x: { $ref: "n1", path: [0] }, x2: { $ref: "n1", path: [1] } },
    });
    expect(net(grouped).forward.output).toEqual({
      $tuple: [
        { $ref: id, path: [0] },
        { $ref: "n4", path: [] },
      ],
    });
    expect(net(back(grouped, id))).toEqual(net(doc));
  });

  it("hands the arguments on that its expressions use", () => {
    const sized = {
      ...linear("a"),
      arguments: { out_features: { $expr: "2 * width" }, in_features: { $expr: "width" } },
    };
    const inner = {
      ...block([sized], [call("n1", "a", "x")], { $ref: "n1" }),
      arguments: [{ name: "width" }, { name: "idle" }],
    };
    const doc = network(
      block([{ ...use("b", "B"), arguments: { width: 4 } }], [call("n1", "b", "x", [], "x")], { $ref: "n1" }),
      {
        blocks: { B: inner },
      },
    );
    const { doc: grouped, id } = made(doc, ["n1"], "B");
    expect(net(grouped, "Part").arguments.map((it) => it.name)).toEqual(["width"]);
    expect(net(grouped, "B").members).toMatchObject([{ arguments: { width: { $expr: "width" } } }]);
    expect(JSON.stringify(net(back(grouped, id, "B")).members)).toBe(JSON.stringify(net(doc).members));
    expect(net(back(doc, "n1")).members).toMatchObject([
      { arguments: { out_features: { $expr: "2 * (4)" }, in_features: 4 } },
    ]);
  });

  it("is refused where its members are called elsewhere, or data would run in a circle", () => {
    const chain = [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n2"), call("n4", "a", "n3")];
    const it = net(network(block([linear("a"), linear("b"), linear("c")], chain, { $ref: "n4" })));
    expect(extractRefused(it, [])).toBe("empty");
    expect(extractRefused(it, ["n1"])).toBe("shared");
    expect(extractRefused(it, ["n1", "n4"])).toBe("returns");
    expect(extractRefused(it, ["n2", "n3"])).toBeNull();
    const tied = net(
      network(
        block(
          [linear("a"), linear("b"), alias("b.weight", "a.weight")],
          [call("n1", "a", "x"), call("n2", "b", "n1")],
          null,
        ),
      ),
    );
    expect(extractRefused(tied, ["n2"])).toBe("shared");
    expect(extractRefused(tied, ["n1", "n2"])).toBeNull();
  });

  it("takes containers whole, and its nodes keep their places", () => {
    const list = holding("module_list", "l", linear("0"), linear("1"));
    const doc = place(
      network(block([list], [call("n1", "l.0", "x"), call("n2", "l.1", "n1")], { $ref: "n2" })),
      "Net",
      { "input:x": { x: 0, y: 0 }, n1: { x: 0, y: 100 }, n2: { x: 0, y: 220 }, output: { x: 0, y: 340 } },
    );
    expect(extractRefused(net(doc), ["n1"])).toBe("shared");
    const { doc: grouped, id } = made(doc, ["n1", "n2"]);
    expect(grouped.ui.blocks.Part?.positions.n2).toEqual({ x: 0, y: 220 });
    expect(back(grouped, id)).toEqual(doc);
  });
});

describe("dissolving one use of a block", () => {
  const B = block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" });
  const twice = () =>
    network(
      block(
        [use("one", "B"), use("two", "B"), linear("fc")],
        [call("n1", "one", "x", [], "x"), call("n2", "two", "n1", [], "x"), call("n3", "fc", "n2")],
        { $ref: "n3" },
      ),
      { blocks: { B }, frozen: ["one.*", "two.fc.bias"] },
    );

  it("gives names that are free, and leaves the class to its other uses", () => {
    const doc = back(twice(), "n1");
    expect(names(net(doc))).toEqual(["fc2", "two", "fc"]);
    expect(Object.keys(doc.blocks)).toEqual(["Net", "B"]);
    expect(doc.frozen).toEqual(["fc2.*", "two.fc.bias"]);
    expect(wires(net(doc))).toEqual(["input:x→n4:input", "n4→n2:x", "n2→n3:input", "n3→output:"]);
  });

  it("is none where the use is called twice, or from inside", () => {
    const shared = network(block([use("b", "B")], [call("n1", "b", "x", [], "x"), call("n2", "b.fc", "n1")], null), {
      blocks: { B },
    });
    expect(inline(shared, "Net", "n1")).toBeNull();
    expect(inline(renameMember(twice(), "Net", "fc", "head"), "Net", "n3")).toBeNull();
  });
});
