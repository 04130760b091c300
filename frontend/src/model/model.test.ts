import { describe, expect, it } from "vitest";
import { insertItem, moveItem, renameMember, renameRefused } from "./arrange";
import { copy, duplicate, paste } from "./clipboard";
import { connect, disconnectEdge } from "./connect";
import { renameBlock, semantic, setInit, setInputExample, setMemberArgument } from "./edit";
import { digits, MAIN } from "./example.test-data";
import { edges, NEW_OUTPUT, nextId, OUTPUT, place, wouldCycle } from "./graph";
import { group, groupRefused, moveInto } from "./group";
import { applied, begin, LIMIT, redone, undone } from "./history";
import { memberAt } from "./members";
import { nameFault, snake, unique } from "./names";
import {
  addFunction,
  addInput,
  addLayer,
  insertOnEdge,
  newLayer,
  removeMember,
  removeNodes,
  renameInput,
} from "./nodes";
import { MalformedDocument, normalise } from "./normalise";
import { mended } from "./patch";
import { rearrange } from "./paths";
import type { Block, Doc, Item } from "./types";
import { ungroup } from "./ungroup";
import { ref } from "./values";

const main = (doc: Doc): Block => doc.blocks[MAIN] as Block;
const graph = (doc: Doc) => main(doc).forward;
const names = (doc: Doc) => main(doc).members.map((member) => member.name);
const wires = (doc: Doc) => edges(graph(doc)).map((edge) => edge.id);
/** Connections by what is called, whatever the nodes are called on the canvas. */
const flow = (doc: Doc) => {
  const target = (id: string) => graph(doc).nodes.find((node) => node.id === id)?.target ?? id;
  return edges(graph(doc)).map((edge) => `${target(edge.source)}→${target(edge.target)}:${edge.at.join("/")}`);
};
const at = { x: 0, y: 0 };
const linear = (name: string): Item => newLayer(name, "torch.nn.Linear");
const port = () => "input";

/** Fails when a function wrote into its argument. */
function frozen(doc: Doc): Doc {
  const freeze = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  };
  freeze(doc);
  return doc;
}
const example = () => frozen(digits());

describe("names", () => {
  it.each([
    ["Conv2d", "conv"],
    ["BatchNorm2d", "batch_norm"],
    ["ReLU", "relu"],
    ["LeakyReLU", "leaky_relu"],
    ["PReLU", "prelu"],
    ["ReLU6", "relu6"],
    ["LSTM", "lstm"],
    ["GRUCell", "gru_cell"],
    ["AdaptiveAvgPool2d", "adaptive_avg_pool"],
    ["MultiheadAttention", "multihead_attention"],
    ["ConvTranspose3d", "conv_transpose"],
  ])("%s becomes %s", (label, name) => expect(snake(label)).toBe(name));

  it("are counted on from two", () => {
    expect(unique("conv", new Set())).toBe("conv");
    expect(unique("conv", new Set(["conv", "conv2"]))).toBe("conv3");
    expect(unique("conv2", new Set(["conv", "conv2"]))).toBe("conv3");
  });

  it("are no words of Python's grammar", () => {
    expect(["x", "for", "match", "2x", "x-y"].map(nameFault)).toEqual([null, "keyword", null, "invalid", "invalid"]);
    expect(renameRefused(main(example()), "conv", "class")).toBe("keyword");
  });
});

describe("inputs", () => {
  it("begin with the shape of the one before", () => {
    const doc = setInputExample(example(), "x", { shape: [3, 32, 32], dtype: "int64" });
    expect(addInput(doc, MAIN, "x", at).inputs.x2).toMatchObject({ shape: [3, 32, 32], dtype: "int64" });
  });
});

describe("edges", () => {
  it("follow from references and keep their ids", () => {
    expect(wires(example())).toEqual([
      "input:x→n1:input",
      "n1→n2:input",
      "n2→n3:input",
      "n3→n4:input",
      "n4→n5:input",
      "n5→output:",
    ]);
  });

  it("replace what a single port held and are added where a port takes many", () => {
    let doc = connect(example(), MAIN, { id: "n1", path: [] }, "n4", "input");
    expect(wires(doc)).toContain("n1→n4:input");
    expect(wires(doc)).not.toContain("n3→n4:input");
    doc = addFunction(doc, MAIN, { target: "torch.cat" }, "n6", at);
    doc = connect(doc, MAIN, { id: "n1", path: [] }, "n6", "tensors", true);
    doc = connect(doc, MAIN, { id: "n2", path: [] }, "n6", "tensors", true);
    expect(wires(doc)).toContain("n2→n6:tensors/1");
    const first = edges(graph(doc)).find((edge) => edge.id === "n1→n6:tensors/0");
    doc = disconnectEdge(doc, MAIN, first as NonNullable<typeof first>);
    expect(wires(doc)).toContain("n2→n6:tensors/0");
  });

  it("never close a cycle", () => {
    const doc = example();
    expect(wouldCycle(graph(doc), "n5", "n2")).toBe(true);
    expect(wouldCycle(graph(doc), "n2", "n2")).toBe(true);
    expect(wouldCycle(graph(doc), "n1", "n5")).toBe(false);
    expect(connect(doc, MAIN, { id: "n5", path: [] }, "n2", "input")).toBe(doc);
  });

  it("make a tuple of several outputs, whose places stay when one is taken away", () => {
    let doc = connect(example(), MAIN, { id: "n3", path: [] }, OUTPUT, NEW_OUTPUT);
    expect(graph(doc).output).toEqual({ $tuple: [ref("n5"), ref("n3")] });
    doc = removeNodes(doc, MAIN, ["n5"]);
    expect(graph(doc).output).toEqual({ $tuple: [null, ref("n3")] });
  });
});

describe("adding and removing", () => {
  it("adds a member and the node that calls it, under a free name", () => {
    const doc = addLayer(example(), MAIN, { target: "torch.nn.Conv2d", label: "Conv2d" }, nextId(graph(example())), at);
    expect(names(doc)).toContain("conv2");
    expect(graph(doc).nodes.at(-1)).toMatchObject({ op: "call", id: "n6", target: "conv2" });
  });

  it("removes nodes with their connections, and members that nobody calls any more", () => {
    const doc = removeNodes(example(), MAIN, ["n2"]);
    expect(names(doc)).toEqual(["conv", "relu", "fc"]);
    expect(wires(doc)).not.toContain("n1→n2:input");
    expect(graph(doc).nodes.find((node) => node.id === "n3")).toMatchObject({ arguments: {} });
  });

  it("keeps a member that another node still calls", () => {
    const shared = { ...example() };
    const again = {
      op: "call" as const,
      id: "n9",
      name: null,
      when: null,
      target: "relu",
      arguments: { input: ref("n5") },
    };
    shared.blocks = {
      [MAIN]: { ...main(shared), forward: { ...graph(shared), nodes: [...graph(shared).nodes, again] } },
    };
    expect(names(removeNodes(shared, MAIN, ["n3"]))).toContain("relu");
    expect(names(removeNodes(shared, MAIN, ["n3", "n9"]))).not.toContain("relu");
  });

  it("removes an item of a list with its call, and the others move up", () => {
    const doc = group(example(), MAIN, ["n1", "n2", "n3"], "module_list", { name: "stages" });
    const less = removeMember(doc, MAIN, "stages.0");
    expect(graph(less).nodes.map((node) => node.target)).toEqual(["stages.0", "stages.1", "torch.flatten", "fc"]);
    expect(memberAt(main(less), "stages.0")).toMatchObject({ target: "torch.nn.BatchNorm2d", name: "0" });
    const byNode = removeNodes(doc, MAIN, ["n1", "n3"]);
    expect(graph(byNode).nodes.map((node) => node.target)).toEqual(["stages.0", "torch.flatten", "fc"]);
  });

  it("adds, renames and removes inputs with their examples and uses", () => {
    let doc = addInput(example(), MAIN, "x", at);
    expect(graph(doc).inputs.map((input) => input.name)).toEqual(["x", "x2"]);
    doc = renameInput(doc, MAIN, "x", "image");
    expect(wires(doc)).toContain("input:image→n1:input");
    expect(Object.keys(doc.inputs)).toEqual(["image", "x2"]);
    doc = removeNodes(doc, MAIN, ["input:image"]);
    expect(wires(doc)).not.toContain("input:image→n1:input");
    expect(Object.keys(doc.inputs)).toEqual(["x2"]);
  });

  it("inserts a node into an edge", () => {
    let doc = addLayer(example(), MAIN, { target: "torch.nn.Dropout", label: "Dropout" }, "n6", at);
    const edge = edges(graph(doc)).find((it) => it.id === "n4→n5:input");
    doc = insertOnEdge(doc, MAIN, edge as NonNullable<typeof edge>, "n6", { name: "input", many: false }, []);
    expect(wires(doc)).toEqual(expect.arrayContaining(["n4→n6:input", "n6→n5:input"]));
    expect(wires(doc)).not.toContain("n4→n5:input");
    const last = edges(graph(doc)).find((it) => it.target === OUTPUT);
    const tail = insertOnEdge(doc, MAIN, last as NonNullable<typeof last>, "n3", { name: "input", many: false }, []);
    expect(graph(tail).output).toEqual(ref("n3"));
  });
});

describe("renaming", () => {
  it("is followed by calls, rules and frozen patterns", () => {
    const doc = { ...example(), frozen: ["conv.weight", "fc.*"] };
    const renamed = renameMember(doc, MAIN, "conv", "stem");
    expect(graph(renamed).nodes[0]?.target).toBe("stem");
    expect(renamed.frozen).toEqual(["stem.weight", "fc.*"]);
  });

  it("is refused for names that are taken, no names, or numbers of a list", () => {
    const doc = group(example(), MAIN, ["n1", "n2"], "module_list", { name: "stages" });
    expect(renameRefused(main(doc), "relu", "fc")).toBe("taken");
    expect(renameRefused(main(doc), "relu", "2x")).toBe("invalid");
    expect(renameRefused(main(doc), "stages.0", "first")).toBe("counted");
    expect(renameMember(doc, MAIN, "relu", "fc")).toBe(doc);
  });

  it("of a block's class is followed by its uses", () => {
    const doc = renameBlock(example(), MAIN, "Net");
    expect(doc.main).toBe("Net");
    expect(Object.keys(doc.blocks)).toEqual(["Net"]);
  });
});

describe("grouping", () => {
  const chain = ["n1", "n2", "n3"];

  it("makes a Sequential of a chain, which ungroups to an equal document", () => {
    const doc = example();
    const grouped = group(doc, MAIN, ["n3", "n1", "n2"], "sequential", { name: "features" });
    expect(names(grouped)).toEqual(["features", "fc"]);
    expect(memberAt(main(grouped), "features.1")).toMatchObject({ name: "1", target: "torch.nn.BatchNorm2d" });
    expect(wires(grouped)).toEqual(["input:x→n3:input", "n3→n4:input", "n4→n5:input", "n5→output:"]);
    expect(semantic(ungroup(grouped, MAIN, "features", port))).toEqual(semantic(doc));
  });

  it("can keep names, and gives them back", () => {
    const doc = renameMember(example(), MAIN, "conv", "stem");
    const grouped = group(doc, MAIN, chain, "sequential", { keepNames: true });
    expect(memberAt(main(grouped), "features.stem")).not.toBeNull();
    expect(semantic(ungroup(grouped, MAIN, "features", port))).toEqual(semantic(doc));
  });

  it.each(["module_list", "module_dict"] as const)("makes a %s whose items are called one by one, and back", (kind) => {
    const doc = example();
    const grouped = group(doc, MAIN, ["n1", "n3"], kind, { name: "parts" });
    expect(names(grouped)).toEqual(["parts", "batch_norm", "fc"]);
    const first = kind === "module_list" ? "parts.0" : "parts.conv";
    expect(graph(grouped).nodes[0]?.target).toBe(first);
    const back = ungroup(grouped, MAIN, "parts", port);
    expect(graph(back)).toEqual(graph(doc));
    expect(names(back).toSorted()).toEqual(names(doc).toSorted());
  });

  it("nests containers: a Sequential of Sequentials, dissolved from outside in", () => {
    const doc = example();
    const inner = group(doc, MAIN, ["n1", "n2"], "sequential", { name: "inner" });
    const outer = group(inner, MAIN, ["n2", "n3"], "sequential", { name: "outer", keepNames: true });
    expect(memberAt(main(outer), "outer.inner.0")).toMatchObject({ target: "torch.nn.Conv2d" });
    const back = ungroup(ungroup(outer, MAIN, "outer", port), MAIN, "inner", port);
    expect(names(back)).toEqual(names(doc));
    expect(flow(back)).toEqual(flow(doc));
  });

  it("dissolves a Sequential inside a Sequential in place, renumbering", () => {
    const inner = group(example(), MAIN, ["n1", "n2"], "sequential");
    const nested = group(inner, MAIN, ["n2", "n3"], "sequential", { name: "body" });
    expect(memberAt(main(nested), "body.0.1")).toMatchObject({ target: "torch.nn.BatchNorm2d" });
    const whole = group(example(), MAIN, chain, "sequential", { name: "body" });
    expect(main(ungroup(nested, MAIN, "body.0", port))).toEqual(main(whole));
  });

  it("says why a selection is no chain", () => {
    const block = main(example());
    expect(groupRefused(block, ["n3", "n4"], "sequential")).toBe("not_layers");
    expect(groupRefused(block, ["n1", "n3"], "sequential")).toBe("not_chain");
    expect(groupRefused(block, [], "module_list")).toBe("empty");
    const side = main(connect(example(), MAIN, { id: "n1", path: [] }, OUTPUT, NEW_OUTPUT));
    expect(groupRefused(side, ["n1", "n2"], "sequential")).toBe("not_chain");
    expect(groupRefused(side, ["n1", "n2"], "module_list")).toBeNull();
  });

  it("keeps the numbers of a Sequential in order as items come, go and move, and calls follow", () => {
    const whole = group(example(), MAIN, chain, "sequential", { name: "features" });
    const longer = rearrange(whole, MAIN, (it) => insertItem(it, "features", 1, linear("x")));
    const targets = (block: Block) => {
      const holder = memberAt(block, "features");
      return holder && "items" in holder
        ? holder.items.map((item) => "target" in item && `${item.name} ${item.target}`)
        : [];
    };
    expect(targets(main(longer))).toEqual([
      "0 torch.nn.Conv2d",
      "1 torch.nn.Linear",
      "2 torch.nn.BatchNorm2d",
      "3 torch.nn.ReLU",
    ]);
    expect(targets(moveItem(main(longer), "features", 0, 3).block)[3]).toBe("3 torch.nn.Conv2d");
    const list = group(example(), MAIN, ["n1", "n2", "n3"], "module_list", { name: "stages" });
    const moved = rearrange(list, MAIN, (it) => moveItem(it, "stages", 0, 2));
    expect(
      graph(moved)
        .nodes.slice(0, 3)
        .map((node) => node.target),
    ).toEqual(["stages.2", "stages.0", "stages.1"]);
  });

  it("takes a node into a Sequential, and the connections close behind it", () => {
    const whole = group(example(), MAIN, ["n1", "n2"], "sequential", { name: "features" });
    const taken = moveInto(whole, MAIN, "n3", "features", 2);
    expect(memberAt(main(taken), "features.2")).toMatchObject({ target: "torch.nn.ReLU" });
    expect(wires(taken)).toEqual(["input:x→n2:input", "n2→n4:input", "n4→n5:input", "n5→output:"]);
  });
});

describe("copy and paste", () => {
  it("makes names and ids unique and keeps inner connections", () => {
    const doc = example();
    const text = copy(doc, MAIN, ["n1", "n2"]) as string;
    const pasted = paste(doc, MAIN, text, { x: 100, y: 50 });
    expect(pasted.ids).toEqual(["n6", "n7"]);
    expect(names(pasted.doc)).toEqual(["conv", "batch_norm", "relu", "fc", "conv2", "batch_norm2"]);
    expect(wires(pasted.doc)).toContain("n6→n7:input");
    expect(wires(pasted.doc)).not.toContain("input:x→n6:input");
    expect(pasted.doc.ui.blocks[MAIN]?.positions.n6).toEqual({ x: 100, y: 50 });
  });

  it("takes a container along, and of a list only what is copied", () => {
    const list = frozen(group(example(), MAIN, ["n1", "n2", "n3"], "module_list", { name: "stages" }));
    const pasted = paste(list, MAIN, copy(list, MAIN, ["n2"]) as string, at).doc;
    expect(memberAt(main(pasted), "stages2.0")).toMatchObject({ target: "torch.nn.BatchNorm2d" });
    expect(graph(pasted).nodes.at(-1)?.target).toBe("stages2.0");
  });

  it("duplicates a little to the side", () => {
    const doc = place(example(), MAIN, { n1: { x: 10, y: 10 } });
    expect(duplicate(doc, MAIN, ["n1"])?.doc.ui.blocks[MAIN]?.positions.n6).toEqual({ x: 50, y: 50 });
  });

  it("refuses other texts and changes nothing", () => {
    expect(() => paste(example(), MAIN, "hello", at)).toThrow(MalformedDocument);
    expect(() => paste(example(), MAIN, '{"a": 1}', at)).toThrow(MalformedDocument);
  });
});

describe("edits", () => {
  it("set and reset arguments and initializers", () => {
    let doc = setMemberArgument(example(), MAIN, "conv", "bias", false);
    expect(memberAt(main(doc), "conv")).toMatchObject({ arguments: { bias: false } });
    doc = setMemberArgument(doc, MAIN, "conv", "bias", undefined);
    expect(doc).toEqual(digits());
    doc = setInit(doc, MAIN, "conv", "weight", { function: "torch.nn.init.kaiming_normal_", arguments: {} });
    expect(memberAt(main(doc), "conv")).toMatchObject({ init: [{ parameter: "weight" }] });
    expect(setInit(doc, MAIN, "conv", "weight", null)).toEqual(digits());
  });

  it("apply a mend as a whole or not at all", () => {
    const path = `/blocks/${MAIN}/members/3/arguments/out_features`;
    const fix = { title: "", edits: [{ op: "replace" as const, path, value: 12 }] };
    const doc = example();
    expect(memberAt(main(mended(doc, fix) as Doc), "fc")).toMatchObject({ arguments: { out_features: 12 } });
    const stale = { title: "", edits: [...fix.edits, { op: "remove" as const, path: "/blocks/Gone", value: null }] };
    expect(mended(doc, stale)).toBeNull();
  });
});

describe("history", () => {
  const named = (name: string): Doc => ({ ...digits(), name });

  it("undoes and redoes named steps, and merges a gesture", () => {
    let history = begin(named("0"));
    history = applied(history, "a", named("1"));
    history = applied(history, "type", named("2"), "name");
    history = applied(history, "type", named("3"), "name");
    expect(history.past.map((step) => step.label)).toEqual(["a", "type"]);
    history = undone(history);
    expect(history.doc.name).toBe("1");
    history = undone(history);
    expect(history.doc.name).toBe("0");
    expect(undone(history)).toBe(history);
    history = redone(redone(history));
    expect(history.doc.name).toBe("3");
    expect(applied(history, "nothing", history.doc)).toBe(history);
  });

  it("forgets the oldest step beyond the limit, and redo after a new step", () => {
    let history = begin(named("start"));
    for (let i = 0; i < LIMIT + 5; i++) history = applied(history, "step", named(String(i)));
    expect(history.past).toHaveLength(LIMIT);
    history = applied(undone(history), "other", named("other"));
    expect(history.future).toHaveLength(0);
  });
});

describe("reading", () => {
  it("fills in what a document leaves out and refuses what is none", () => {
    expect(example().blocks[MAIN]?.members[2]).toEqual({
      kind: "layer",
      name: "relu",
      target: "torch.nn.ReLU",
      arguments: {},
      init: [],
      parametrizations: [],
      when: null,
    });
    expect(normalise(JSON.parse(JSON.stringify(example())))).toEqual(example());
    for (const text of ["null", "[]", "{}", '{"blocks": {"A": {"members": [{"kind": "strange"}]}}, "main": "A"}'])
      expect(() => normalise(JSON.parse(text))).toThrow(MalformedDocument);
  });
});
