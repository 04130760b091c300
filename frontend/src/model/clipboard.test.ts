import { describe, expect, it } from "vitest";
import { copy, copyItem, paste } from "./clipboard";
import { alias, block, call, holding, linear, network, use } from "./example.test-data";
import type { Block, Doc } from "./types";

const at = { x: 0, y: 0 };
const net = (doc: Doc): Block => doc.blocks.Net as Block;
const names = (doc: Doc) => net(doc).members.map((it) => (it.kind === "alias" ? `${it.name} → ${it.of}` : it.name));
const empty = (blocks: object = {}) => network(block([], [], null), { blocks });
const pasted = (from: Doc, into: Doc, ids: string[]) => paste(into, "Net", copy(from, "Net", ids) as string, at).doc;

describe("ties", () => {
  const tied = network(
    block(
      [linear("embed"), linear("decoder"), alias("decoder.weight", "embed.weight")],
      [call("n1", "embed", "x"), call("n2", "decoder", "n1")],
      { $ref: "n2" },
    ),
  );

  it("are copied with both members, under their new names", () => {
    expect(names(pasted(tied, empty(), ["n1", "n2"]))).toEqual(names(tied));
    expect(names(pasted(tied, tied, ["n1", "n2"])).slice(3)).toEqual([
      "embed2",
      "decoder2",
      "decoder2.weight → embed2.weight",
    ]);
  });

  it("stay behind where one of the members does", () => {
    expect(names(pasted(tied, empty(), ["n2"]))).toEqual(["decoder"]);
  });

  it("keep the item that a copied alias stands for", () => {
    const list = network(
      block(
        [holding("module_list", "layers", linear("0"), linear("1")), alias("again", "layers.1")],
        [call("n1", "layers.0", "x"), call("n2", "again", "n1")],
        { $ref: "n2" },
      ),
    );
    expect(names(pasted(list, empty(), ["n2"]))).toEqual(["layers", "again → layers.0"]);
  });
});

describe("blocks inside pasted blocks", () => {
  const inner = (member: string) => block([linear(member)], [call("n1", member, "x")], { $ref: "n1" });
  const outer = block([use("in", "Inner")], [call("n1", "in", "x", [], "x")], { $ref: "n1" });
  const source = network(block([use("o", "Outer")], [call("n1", "o", "x", [], "x")], { $ref: "n1" }), {
    blocks: { Inner: inner("fc"), Outer: outer },
  });

  it("are taken under the name that they get", () => {
    const doc = pasted(source, empty({ Inner: inner("other") }), ["n1"]);
    expect(Object.keys(doc.blocks)).toEqual(["Net", "Inner", "Inner2", "Outer"]);
    expect(doc.blocks.Outer?.members).toMatchObject([{ block: "Inner2" }]);
  });

  it("make a block another one, though it is written the same", () => {
    const doc = pasted(source, empty({ Inner: inner("other"), Outer: outer }), ["n1"]);
    expect(Object.keys(doc.blocks)).toEqual(["Net", "Inner", "Outer", "Inner2", "Outer2"]);
    expect(net(doc).members).toMatchObject([{ block: "Outer2" }]);
    expect(doc.blocks.Outer2?.members).toMatchObject([{ block: "Inner2" }]);
  });

  it("are shared where they are the same", () => {
    expect(Object.keys(pasted(source, source, ["n1"]).blocks)).toEqual(["Net", "Inner", "Outer"]);
  });
});

describe("an item of a container", () => {
  it("is copied alone, as a member with a node", () => {
    const doc = network(block([holding("sequential", "f", linear("0"), linear("1"))], [call("n1", "f", "x")], null));
    const got = paste(empty(), "Net", copyItem(doc, "Net", "f.1") as string, at).doc;
    expect(names(got)).toEqual(["linear"]);
    expect(net(got).forward.nodes).toMatchObject([{ op: "call", target: "linear", arguments: {} }]);
    expect(copyItem(doc, "Net", "f.9")).toBeNull();
  });
});
