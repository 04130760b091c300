import { describe, expect, it } from "vitest";
import { renameMember } from "./arrange";
import { addItem } from "./edit";
import { alias, block, call, holding, linear, network, use } from "./example.test-data";
import { group, groupRefused, moveInto } from "./group";
import { memberAt } from "./members";
import { removeMember, removeNodes } from "./nodes";
import type { Block, Doc, Item } from "./types";
import { ungroup, ungroupRefused } from "./ungroup";

const net = (doc: Doc): Block => doc.blocks.Net as Block;
const targets = (doc: Doc) => net(doc).forward.nodes.map((node) => node.target);
const aliases = (doc: Doc) =>
  net(doc).members.flatMap((member) => (member.kind === "alias" ? [`${member.name} → ${member.of}`] : []));
const port = () => "input";
const tied = () =>
  network(
    block(
      [linear("embed"), linear("decoder"), alias("decoder.weight", "embed.weight")],
      [call("n1", "embed", "x"), call("n2", "decoder", "n1")],
      { $ref: "n2" },
    ),
  );
const pair = holding("sequential", "f", linear("0"), linear("1"));

describe("aliases", () => {
  const list = () =>
    network(
      block(
        [holding("module_list", "layers", linear("0"), linear("1"), linear("2")), alias("tied", "layers.1")],
        [call("n1", "layers.0", "x"), call("n2", "layers.1", "n1"), call("n3", "tied", "n2")],
        { $ref: "n3" },
      ),
    );

  it("of an item follow it as items before it go", () => {
    for (const doc of [removeMember(list(), "Net", "layers.0"), removeNodes(list(), "Net", ["n1"])]) {
      expect(aliases(doc)).toEqual(["tied → layers.0"]);
      expect(targets(doc)).toEqual(["layers.0", "tied"]);
    }
  });

  it("go with what they stand for, and so do the nodes that call them", () => {
    const doc = removeMember(list(), "Net", "layers.1");
    expect(aliases(doc)).toEqual([]);
    expect(targets(doc)).toEqual(["layers.0"]);
  });

  it("of a container are ways to its items", () => {
    const doc = network(
      block([pair, alias("g", "f")], [call("n1", "f.1", "x"), call("n2", "g.1", "n1")], { $ref: "n2" }),
    );
    expect(targets(addItem(doc, "Net", "f", linear("x") as Item, 0))).toEqual(["f.2", "g.2"]);
    expect(targets(removeMember(doc, "Net", "f.1"))).toEqual([]);
  });

  it("with a path for a name follow the member that they are in", () => {
    expect(aliases(renameMember(tied(), "Net", "decoder", "head"))).toEqual(["head.weight → embed.weight"]);
    expect(aliases(renameMember(tied(), "Net", "embed", "table"))).toEqual(["decoder.weight → table.weight"]);
    expect(aliases(group(tied(), "Net", ["n2"], "module_list"))).toEqual(["layers.0.weight → embed.weight"]);
    expect(aliases(removeMember(tied(), "Net", "decoder"))).toEqual([]);
  });

  it("stay behind what they name", () => {
    const doc = network(
      block(
        [linear("embed"), linear("decoder"), alias("decoder.weight", "embed.weight"), pair],
        [call("n1", "embed", "x"), call("n2", "decoder", "n1"), call("n3", "f", "n2")],
        { $ref: "n3" },
      ),
    );
    const taken = moveInto(doc, "Net", "n2", "f", 0);
    expect(aliases(taken)).toEqual(["f.0.weight → embed.weight"]);
    expect(net(taken).members.at(-1)?.kind).toBe("alias");
  });
});

describe("grouping and aliases", () => {
  it("cannot put an alias into a container", () => {
    const doc = network(
      block([linear("a"), alias("again", "a")], [call("n1", "a", "x"), call("n2", "again", "n1")], { $ref: "n2" }),
    );
    expect(groupRefused(net(doc), ["n2"], "module_list")).toBe("alias");
    expect(group(doc, "Net", ["n2"], "module_list")).toBe(doc);
  });

  it("does not dissolve a container that goes by another name, too", () => {
    const doc = network(block([pair, alias("g", "f")], [call("n1", "f", "x"), call("n2", "g", "n1")], { $ref: "n2" }));
    expect(ungroupRefused(net(doc), "f")).toBe(true);
    expect(ungroup(doc, "Net", "f", port)).toBe(doc);
  });

  it("leads aliases of items out of a dissolved container", () => {
    const inner = holding("sequential", "1", linear("0"), linear("1"));
    const doc = network(
      block(
        [
          holding("sequential", "f", linear("0"), inner, linear("2")),
          linear("head"),
          alias("head.weight", "f.2.weight"),
        ],
        [call("n1", "f", "x"), call("n2", "head", "n1")],
        { $ref: "n2" },
      ),
    );
    const spliced = ungroup(doc, "Net", "f.1", port);
    expect(aliases(spliced)).toEqual(["head.weight → f.3.weight"]);
    expect(aliases(ungroup(spliced, "Net", "f", port))).toEqual(["head.weight → linear4.weight"]);
  });
});

describe("frozen patterns and rules", () => {
  const rule = (name: string) => ({ name, statements: [] });
  const doc = () =>
    network(block([pair], [call("n1", "f", "x")], { $ref: "n1" }), {
      frozen: ["f.0.*", "f.1.weight"],
      init: [rule("f.1"), rule("*")],
    });
  const names = (it: Doc) => it.init.map(({ name }) => name);

  it("follow items to their new numbers, and go with them", () => {
    const longer = addItem(doc(), "Net", "f", linear("x") as Item, 0);
    expect(longer.frozen).toEqual(["f.1.*", "f.2.weight"]);
    expect(names(longer)).toEqual(["f.2", "*"]);
    const shorter = removeMember(doc(), "Net", "f.0");
    expect(shorter.frozen).toEqual(["f.0.weight"]);
    expect(names(shorter)).toEqual(["f.0", "*"]);
  });

  it("follow into a group and out again", () => {
    const chain = network(
      block([linear("a"), linear("b")], [call("n1", "a", "x"), call("n2", "b", "n1")], { $ref: "n2" }),
      { frozen: ["a.*"] },
    );
    const grouped = group(chain, "Net", ["n1", "n2"], "sequential", { name: "f", keepNames: true });
    expect(grouped.frozen).toEqual(["f.a.*"]);
    expect(ungroup(grouped, "Net", "f", port).frozen).toEqual(["a.*"]);
    const whole = { ...grouped, frozen: ["f.*"] };
    expect(ungroup(whole, "Net", "f", port).frozen).toEqual(["a.*", "b.*"]);
  });

  it("follow inside a block to every instance of it, as do paths through one", () => {
    const B = block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" });
    const stages = holding("module_list", "stages", use("0", "B"), use("1", "B"));
    const outer = network(
      block([use("one", "B"), stages], [call("n1", "one.fc", "x"), call("n2", "stages.1", "n1")], { $ref: "n2" }),
      { blocks: { B }, frozen: ["one.fc.*", "stages.1.fc.weight"] },
    );
    const renamed = renameMember(outer, "B", "fc", "body");
    expect(renamed.frozen).toEqual(["one.body.*", "stages.1.body.weight"]);
    expect(targets(renamed)).toEqual(["one.body", "stages.1"]);
    expect(memberAt(renamed.blocks.B as Block, "body")).not.toBeNull();
  });
});
