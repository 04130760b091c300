import { describe, expect, it } from "vitest";
import { renameMember } from "./arrange";
import { setKey } from "./choose";
import { connect, disconnectEdge } from "./connect";
import { alias, block, call, holding, linear, network, use } from "./example.test-data";
import { edges, NEW_OUTPUT, OUTPUT } from "./graph";
import { removeMember, removeNodes, renameInput } from "./nodes";
import { addOutput, lostBySingle, outputForm, removeOutput, renameOutput, setOutputForm } from "./outputs";
import { outputInPorts } from "./ports";
import type { Block, Doc, Value } from "./types";
import { refsIn } from "./values";

const net = (doc: Doc): Block => doc.blocks.Net as Block;
const given = (doc: Doc) =>
  net(doc).forward.nodes.map((node) => ("arguments" in node ? Object.keys(node.arguments).join(" ") : ""));
const output = (doc: Doc, name = "B"): Value => (doc.blocks[name] as Block).forward.output;

describe("inputs of a block", () => {
  const B = block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" }, ["x", "mask"]);
  const masked = { $ref: "x", path: [] };
  const doc = network(
    block(
      [
        holding("module_list", "layers", use("0", "B")),
        holding("module_dict", "heads", use("a", "B")),
        use("direct", "B"),
        alias("again", "direct"),
      ],
      [
        call("n1", "layers.0", "x", [], "x"),
        { op: "loop", id: "n2", target: "layers", arguments: { input: { $ref: "n1" }, mask: masked } },
        { op: "choose", id: "n3", target: "heads", key: null, arguments: { x: { $ref: "n2" }, mask: masked } },
        call("n4", "direct", "n2", [], "x"),
        call("n5", "again", "n4", [], "x"),
      ],
      { $ref: "n5" },
    ),
    { blocks: { B } },
  );

  it("are renamed wherever the block is called", () => {
    const renamed = renameInput(renameInput(doc, "B", "x", "h"), "B", "mask", "m");
    expect(given(renamed)).toEqual(["h", "input m", "h m", "h", "h"]);
  });

  it("are taken from every call when they go", () => {
    expect(given(removeNodes(doc, "B", ["input:mask"]))).toEqual(["x", "input", "x", "x", "x"]);
  });
});

describe("outputs of a block", () => {
  const B = (form: Value) => block([linear("fc")], [call("n1", "fc", "x")], form);
  const both: Value = {
    $tuple: [
      { $ref: "x", path: [] },
      { $ref: "n1", path: [] },
    ],
  };
  const doc = (form: Value, ...paths: (number | string)[][]) =>
    network(
      block(
        [use("b", "B"), linear("fc")],
        [call("n1", "b", "x", [], "x"), ...paths.map((path, index) => call(`m${index}`, "fc", "n1", path))],
        null,
      ),
      { blocks: { B: B(form) } },
    );
  const taken = (it: Doc) =>
    net(it)
      .forward.nodes.slice(1)
      .map((node) => ("arguments" in node && node.arguments.input ? refsIn(node.arguments.input)[0]?.ref.path : null));

  it("become one: the first that is connected", () => {
    const half: Value = { $tuple: [null, { $ref: "n1", path: [] }, { $ref: "x", path: [] }] };
    expect(lostBySingle(half)).toBe(1);
    const one = setOutputForm(doc(half, [1], [2]), "B", "single");
    expect(output(one)).toEqual({ $ref: "n1", path: [] });
    expect(taken(one)).toEqual([[], null]);
  });

  it("keep their callers when one before them goes", () => {
    const less = removeOutput(doc(both, [0], [1], []), "B", 0);
    expect(output(less)).toEqual({ $tuple: [{ $ref: "n1", path: [] }] });
    expect(taken(less)).toEqual([null, [0], []]);
  });

  it("keep their callers when their form or name changes", () => {
    const dict = setOutputForm(doc(both, [0], [1, "deep"]), "B", "dict");
    expect(taken(dict)).toEqual([["output1"], ["output2", "deep"]]);
    expect(taken(renameOutput(dict, "B", "output2", "y"))).toEqual([["output1"], ["y", "deep"]]);
    expect(taken(setOutputForm(dict, "B", "tuple"))).toEqual([[0], [1, "deep"]]);
    expect(taken(setOutputForm(doc({ $ref: "n1", path: [] }, [], ["h"]), "B", "tuple"))).toEqual([[0], [0, "h"]]);
    expect(taken(setOutputForm(doc(both, [0], [1]), "B", "single"))).toEqual([[], null]);
  });

  it("become a tuple by one more, and the first stays where it was for callers", () => {
    const more = connect(doc({ $ref: "n1", path: [] }, []), "B", { id: "input:x", path: [] }, OUTPUT, NEW_OUTPUT);
    expect(outputForm(output(more))).toBe("tuple");
    expect(taken(more)).toEqual([[0]]);
  });

  it("get a key that no other has", () => {
    const dict = doc({ $dict: { a: null, output: null, output3: null } });
    expect(Object.keys((output(addOutput(dict, "B", null)) as { $dict: object }).$dict)).toEqual([
      "a",
      "output",
      "output3",
      "output2",
    ]);
  });

  it("that are a list are ports like those of a tuple", () => {
    const list: Value = [
      { $ref: "n1", path: [] },
      { $ref: "x", path: [] },
    ];
    expect(outputInPorts(list).map((it) => it.name)).toEqual(["0", "1", NEW_OUTPUT]);
    const changed = connect(doc(list), "B", { id: "input:x", path: [] }, OUTPUT, "0");
    expect(output(changed)).toEqual([list[1], list[1]]);
  });

  it("lose one reference alone, however deep it stands", () => {
    const nested: Value = { $tuple: [{ $ref: "n1", path: [] }, both] };
    const it = doc(nested);
    const edge = edges((it.blocks.B as Block).forward).find(
      ({ target, at }) => target === OUTPUT && at.join() === "1,0",
    );
    const cut = disconnectEdge(it, "B", edge as NonNullable<typeof edge>);
    expect(output(cut)).toEqual({ $tuple: [{ $ref: "n1", path: [] }, { $tuple: [null, { $ref: "n1", path: [] }] }] });
  });
});

describe("a port that takes many", () => {
  it("keeps what it has, in a tuple as in a list", () => {
    const tensors = { $tuple: [{ $ref: "x", path: [] }] };
    const doc = network(
      block([], [{ op: "function", id: "n1", target: "torch.cat", arguments: { tensors } }], { $ref: "n1" }),
    );
    const more = connect(doc, "Net", { id: "input:x", path: [] }, "n1", "tensors", true);
    expect(net(more).forward.nodes[0]).toMatchObject({ arguments: { tensors: { $tuple: [{}, {}] } } });
  });
});

describe("items of a dict that are all chosen", () => {
  const taking = (...path: (number | string)[]) => ({ $ref: "n1", path });
  const inner = block(
    [holding("module_dict", "heads", linear("a"), linear("b")), linear("fc")],
    [
      { op: "choose", id: "n1", target: "heads", key: null },
      { op: "call", id: "n2", target: "fc", arguments: { input: taking("a") } },
    ],
    { $tuple: [taking(), taking("b", 0)] },
  );
  const doc = () =>
    network(
      block([use("own", "B"), linear("fc")], [call("m1", "own", "x", [], "x"), call("m2", "fc", "m1", [0, "b"])], {
        $ref: "m1",
        path: [0, "a"],
      }),
      { blocks: { B: inner } },
    );
  const paths = (it: Doc, name: string) =>
    edges((it.blocks[name] as Block).forward).flatMap((edge) => (edge.source === "input:x" ? [] : [edge.path]));

  it("are found under their new names, also by callers of the block", () => {
    const renamed = renameMember(renameMember(doc(), "B", "heads.a", "tower"), "B", "heads.b", "side");
    expect(paths(renamed, "B")).toEqual([["tower"], [], ["side", 0]]);
    expect(paths(renamed, "Net")).toEqual([
      [0, "side"],
      [0, "tower"],
    ]);
  });

  it("leave no connection behind when they go", () => {
    const less = removeMember(doc(), "B", "heads.a");
    expect(paths(less, "B")).toEqual([[], ["b", 0]]);
    expect(paths(less, "Net")).toEqual([[0, "b"]]);
  });

  it("are chosen by their new key", () => {
    const one = setKey(doc(), "B", "n1", "b");
    expect(renameMember(one, "B", "heads.b", "side").blocks.B?.forward.nodes[0]).toMatchObject({ key: "side" });
  });
});
