import { describe, expect, it } from "vitest";
import { argumentUses, renameArgument } from "./blockArguments";
import { bypassed, casesOf, setCase, setOutputChoice } from "./cases";
import { copy, paste } from "./clipboard";
import { connect, disconnectEdge } from "./connect";
import { semantic } from "./edit";
import { block, call, linear, network, use } from "./example.test-data";
import { extract } from "./extract";
import { nodeSize, terminalSize } from "./geometry";
import { edges, nodeAt, OUTPUT, setArgument, setWhen } from "./graph";
import { group, groupRefused, moveInto } from "./group";
import { inline, inlineable } from "./inline";
import { insertOnEdge, removeNodes, renameInput } from "./nodes";
import { normaliseValue } from "./normalise";
import { addOutput, outputParts, removeOutput, setOutputForm } from "./outputs";
import { type InPort, isConditional, outputInPorts, portOf, portsOf } from "./ports";
import type { Block, Doc, Value } from "./types";
import { ungroup } from "./ungroup";
import { choice, mapRefs, ref, refsIn, replaced, settled, without } from "./values";

const training = (then: Value, otherwise: Value): Value => choice("training", then, otherwise);
const raw = (value: unknown) => JSON.parse(JSON.stringify(value));
const net = (doc: Doc, name = "Net"): Block => doc.blocks[name] as Block;
const node = (doc: Doc, id: string, name = "Net") => nodeAt(net(doc, name).forward, id);
const given = (doc: Doc, id: string, name = "Net") => {
  const it = node(doc, id, name);
  return it && it.op !== "get" ? it.arguments : {};
};
const wires = (doc: Doc, name = "Net") => edges(net(doc, name).forward).map((edge) => edge.id);
const edgeOf = (doc: Doc, id: string) => {
  const found = edges(net(doc).forward).find((edge) => edge.id === id);
  if (!found) throw new Error(`no edge ${id}`);
  return found;
};

/** A body, a second head for training, a way past a layer, and both in what is returned. */
const heads = (): Doc =>
  network(
    block(
      [linear("body"), linear("drop"), linear("aux"), linear("head")],
      [
        call("n1", "body", "x"),
        { ...call("n2", "drop", "n1"), when: "training" },
        { ...call("n3", "aux", "n2"), when: "training" },
        { op: "call", id: "n4", target: "head", arguments: { input: raw(training(ref("n2"), ref("n1"))) } },
      ],
      raw(training({ $tuple: [ref("n4"), ref("n3")] }, ref("n4"))),
    ),
  );

describe("one of two values", () => {
  const value: Value = [training({ $tuple: [ref("a"), ref("b")] }, ref("a")), 1];

  it("is walked as any other", () => {
    expect(refsIn(value).map(({ ref: from, at }) => [from.$ref, at.join("/")])).toEqual([
      ["a", "0/then/0"],
      ["b", "0/then/1"],
      ["a", "0/else"],
    ]);
    expect(normaliseValue(raw(choice("training", { $ref: "a" } as Value, [{ $ref: "b" } as Value])))).toEqual(
      training(ref("a"), [ref("b")]),
    );
    expect(replaced(value, [0, "else"], 7)).toEqual([training({ $tuple: [ref("a"), ref("b")] }, 7), 1]);
  });

  it("is the other one where one is gone", () => {
    const dropped = (gone: string) => mapRefs(value, (from) => (from.$ref === gone ? undefined : from));
    expect(dropped("b")).toEqual([training({ $tuple: [ref("a")] }, ref("a")), 1]);
    expect(dropped("a")).toEqual([{ $tuple: [ref("b")] }, 1]);
    expect(without(training(ref("a"), ref("b")), ["then"])).toEqual(ref("b"));
    expect(without(training(ref("a"), null), ["then"])).toBeUndefined();
    expect(mapRefs(training(null, ref("a")), (from) => from)).toEqual(training(null, ref("a")));
  });

  it("is one value once both are the same, but not where both were from the first", () => {
    const renamed = (it: Value) => mapRefs(it, () => ref("z"));
    expect(renamed(training(ref("a"), ref("b")))).toEqual(ref("z"));
    expect(renamed(training(ref("a"), ref("a")))).toEqual(training(ref("z"), ref("z")));
  });

  it("is settled where it is read under its own condition", () => {
    const nested = training(choice("not training", 1, ref("a")), choice("deep", 2, training(3, 4)));
    expect(settled(nested, new Set())).toEqual(training(ref("a"), choice("deep", 2, 4)));
    expect(settled(nested, new Set(["training"]))).toEqual(ref("a"));
    expect(settled([nested], new Set(["not training", "deep"]))).toEqual([2]);
  });
});

describe("the name of an argument", () => {
  const doc = () => {
    const inner = block(
      [linear("a")],
      [{ ...call("n1", "a", "x"), when: "training and aux" }],
      choice("training and aux", { $ref: "n1" } as Value, { $ref: "x" } as Value),
    );
    return network(block([{ ...use("b", "B"), arguments: { aux: true } }], [call("n1", "b", "x", [], "x")], null), {
      blocks: { B: { ...inner, arguments: [{ name: "aux", type: "bool" }] } },
    });
  };

  it("is followed by conditions of nodes and values", () => {
    const renamed = net(renameArgument(doc(), "B", "aux", "wide"), "B").forward;
    expect(renamed.nodes[0]?.when).toBe("training and wide");
    expect(renamed.output).toMatchObject({ $if: "training and wide" });
    expect(argumentUses(net(doc(), "B"), "aux")).toEqual(["n1", "forward"]);
  });

  it("is followed by the condition of a member", () => {
    const held = network({
      ...block([{ ...linear("a"), when: "aux" }], [{ ...call("n1", "a", "x"), when: "aux" }], null),
      arguments: [{ name: "aux", type: "bool" }],
    });
    expect(net(held).members).toMatchObject([{ name: "a", when: "aux" }]);
    expect(net(renameArgument(held, "Net", "aux", "wide")).members).toMatchObject([{ name: "a", when: "wide" }]);
    expect(argumentUses(net(held), "aux")).toEqual(["a", "n1"]);
  });

  it("is kept with what the page has no form for", () => {
    const normed = { ...linear("a"), parametrizations: [{ function: "weight_norm", arguments: { dim: 1 } }] };
    expect(net(network(block([normed], [], null))).members).toMatchObject([normed]);
  });

  it("is no name where it is a text", () => {
    const text = setArgument(doc(), "B", "n1", "when", "aux");
    expect(given(renameArgument(text, "B", "aux", "wide"), "n1", "B")).toMatchObject({ when: "aux" });
  });

  it("is written out where the block is dissolved", () => {
    const flat = inline(doc(), "Net", "n1")?.doc as Doc;
    expect(net(flat).forward.nodes[0]?.when).toBe("training and (True)");
  });
});

describe("connections", () => {
  it("lead to a port of their own for each case", () => {
    const doc = heads();
    const { forward } = net(doc);
    const running = new Set(["n2", "n3"]);
    const all = edges(forward).map((edge) => [edge.id, portOf(forward, edge), isConditional(forward, edge, running)]);
    expect(all).toEqual([
      ["input:x→n1:input", "input", false],
      ["n1→n2:input", "input", true],
      ["n2→n3:input", "input", true],
      ["n2→n4:input/then", "input/then", true],
      ["n1→n4:input/else", "input/else", true],
      ["n4→output:then/0", "then/0", true],
      ["n3→output:then/1", "then/1", true],
      ["n4→output:else", "else/output", true],
    ]);
    const ports = portsOf(doc, net(doc), nodeAt(forward, "n4") as never, () => undefined, []);
    expect(ports.inputs).toEqual([
      { name: "input/then", many: false, required: false, on: { port: "input", test: "training", otherwise: false } },
      {
        name: "input/else",
        many: false,
        required: false,
        on: { port: "input", test: "not training", otherwise: true },
      },
    ]);
    expect(outputInPorts(forward.output).map((port) => [port.name, port.on?.port, port.on?.test])).toEqual([
      ["then/0", "0", "training"],
      ["then/1", "1", "training"],
      ["else/output", "output", "not training"],
    ]);
  });

  it("have room for what is written over their ports", () => {
    const ports = outputInPorts(heads().blocks.Net?.forward.output ?? null);
    expect(terminalSize(ports).width / (ports.length + 1)).toBeGreaterThan(terminalSize([]).width / 4);
    const many = Array.from({ length: 4 }, (_, n): InPort => ({ name: `i/${n}`, many: false, required: false }));
    const size = (inputs: InPort[]) =>
      nodeSize(net(heads()), { positions: {}, collapsed: [] }, node(heads(), "n4") as never, { inputs, outputs: [] });
    expect(
      size(many.map((port) => ({ ...port, on: { port: "i", test: "t", otherwise: false } }))).width,
    ).toBeGreaterThan(size(many).width);
  });

  it("replace one case and leave the other", () => {
    const doc = connect(heads(), "Net", { id: "input:x", path: [] }, "n4", "input/else");
    expect(given(doc, "n4").input).toEqual(training(ref("n2"), ref("x")));
    const out = connect(doc, "Net", { id: "n1", path: [] }, OUTPUT, "then/1");
    expect(net(out).forward.output).toEqual(training({ $tuple: [ref("n4"), ref("n1")] }, ref("n4")));
  });

  it("leave the other case when they go, with or without their node", () => {
    const doc = heads();
    expect(given(disconnectEdge(doc, "Net", edgeOf(doc, "n2→n4:input/then")), "n4").input).toEqual(ref("n1"));
    expect(net(disconnectEdge(doc, "Net", edgeOf(doc, "n4→output:else"))).forward.output).toEqual({
      $tuple: [ref("n4"), ref("n3")],
    });
    const less = removeNodes(doc, "Net", ["n2"]);
    expect(given(less, "n4").input).toEqual(ref("n1"));
    // The outputs of a tuple keep their numbers.
    expect(net(removeNodes(doc, "Net", ["n3"])).forward.output).toEqual(
      training({ $tuple: [ref("n4"), null] }, ref("n4")),
    );
    expect(net(removeNodes(doc, "Net", ["n4"])).forward.output).toEqual({ $tuple: [null, ref("n3")] });
  });

  it("take a node in that runs when its source does", () => {
    const doc = network(
      block(
        [linear("a"), linear("b")],
        [{ ...call("n1", "a", "x"), when: "training" }, call("n2", "b", "x")],
        raw(training(ref("n1"), ref("n2"))),
      ),
    );
    const put = insertOnEdge(
      setArgument(doc, "Net", "n2", "input", undefined),
      "Net",
      edgeOf(doc, "n1→output:then"),
      "n2",
      { name: "input", many: false },
      [],
    );
    expect(node(put, "n2")).toMatchObject({ when: "training", arguments: { input: ref("n1") } });
    expect(net(put).forward.output).toEqual(ref("n2"));
  });

  it("follow a renamed input", () => {
    expect(wires(renameInput(heads(), "Net", "x", "image"))[0]).toBe("input:image→n1:input");
  });
});

describe("what forward returns", () => {
  it("is made one of two, and one again", () => {
    const plain = network(block([linear("a")], [call("n1", "a", "x")], { $ref: "n1" }));
    const twice = setOutputChoice(plain, "Net", true);
    expect(net(twice).forward.output).toEqual(training(ref("n1"), ref("n1")));
    expect(setOutputChoice(twice, "Net", true)).toBe(twice);
    const more = addOutput(twice, "Net", ref("x"), ["then"]);
    expect(net(more).forward.output).toEqual(training({ $tuple: [ref("n1"), ref("x")] }, ref("n1")));
    expect(net(setOutputChoice(more, "Net", false)).forward.output).toEqual(ref("n1"));
    expect(net(setOutputForm(more, "Net", "dict", ["then"])).forward.output).toEqual(
      training({ $dict: { output1: ref("n1"), output2: ref("x") } }, ref("n1")),
    );
    expect(net(removeOutput(more, "Net", 0, ["then"])).forward.output).toEqual(
      training({ $tuple: [ref("x")] }, ref("n1")),
    );
  });

  it("leaves what is connected when it is one again", () => {
    const doc = network(block([linear("a")], [call("n1", "a", "x")], raw(training(ref("n1"), null))));
    expect(net(setOutputChoice(doc, "Net", false)).forward.output).toEqual(ref("n1"));
  });

  it("gives callers the parts of both", () => {
    const doc = network(block([use("b", "B")], [call("n1", "b", "x", [], "x")], { $ref: "n1" }), {
      blocks: { B: { ...heads().blocks.Net } },
    });
    const outputs = portsOf(doc, net(doc), node(doc, "n1") as never, () => undefined, []).outputs;
    expect(outputs.map((port) => port.name)).toEqual(["output", "0", "1"]);
    const named = setOutputForm(doc, "B", "dict", ["then"]);
    expect(outputParts(net(named, "B").forward.output).map((part) => part.name)).toEqual([
      "then/output1",
      "then/output2",
      "else/output",
    ]);
  });
});

describe("a node of a condition", () => {
  it("is passed by where it does not run", () => {
    const chain = network(
      block(
        [linear("a"), linear("b"), linear("c")],
        [call("n1", "a", "x"), call("n2", "b", "n1"), call("n3", "c", "n2")],
        {
          $ref: "n2",
        },
      ),
    );
    expect(bypassed(chain, "Net", "n2")).toBe(chain);
    const doc = bypassed(setWhen(chain, "Net", "n2", "training"), "Net", "n2");
    expect(given(doc, "n3").input).toEqual(training(ref("n2"), ref("n1")));
    expect(net(doc).forward.output).toEqual(training(ref("n2"), ref("n1")));
    expect(bypassed(doc, "Net", "n2")).toBe(doc);
    const read = training(7, ref("n2"));
    const branch = setArgument(setWhen(chain, "Net", "n2", "training"), "Net", "n3", "input", read);
    expect(given(bypassed(branch, "Net", "n2"), "n3").input).toEqual(training(7, ref("n1")));
    const same = setWhen(setWhen(chain, "Net", "n2", "training"), "Net", "n3", "training");
    expect(given(bypassed(same, "Net", "n2"), "n3").input).toEqual(ref("n2"));
  });

  it("keeps the condition in a copy and in a group", () => {
    const doc = heads();
    const pasted = paste(doc, "Net", copy(doc, "Net", ["n1", "n2", "n4"]) as string, { x: 0, y: 0 });
    const [, drop = "", head = ""] = pasted.ids;
    expect(node(pasted.doc, drop)?.when).toBe("training");
    expect(given(pasted.doc, head).input).toEqual(training(ref(drop), ref(pasted.ids[0] as string)));
    expect(groupRefused(net(doc), ["n1", "n2"], "sequential")).toBe("conditions");
    expect(moveInto(doc, "Net", "n3", "body", 0)).toBe(doc);
    const chain = network(
      block(
        [linear("a"), linear("b")],
        [
          { ...call("n1", "a", "x"), when: "training" },
          { ...call("n2", "b", "n1"), when: "training" },
        ],
        raw(training(ref("n2"), ref("x"))),
      ),
    );
    const grouped = group(chain, "Net", ["n1", "n2"], "sequential");
    expect(net(grouped).forward.nodes).toMatchObject([{ target: "features", when: "training" }]);
    const free = ungroup(grouped, "Net", "features", () => "input");
    expect(net(free).forward.nodes.map((it) => it.when)).toEqual(["training", "training"]);
  });

  it("hands its condition to the block that it alone is in, and takes it back", () => {
    const doc = heads();
    const made = extract(doc, "Net", ["n2", "n3"], "Part");
    expect(made?.doc && node(made.doc, made.id)?.when).toBe("training");
    expect(net(made?.doc as Doc, "Part").forward).toMatchObject({
      nodes: [{ when: null }, { when: null }],
      output: { $tuple: [{ $ref: "n2" }, { $ref: "n3" }] },
    });
    const back = inline(made?.doc as Doc, "Net", made?.id ?? "")?.doc as Doc;
    expect(semantic(back).blocks.Net?.forward).toEqual(semantic(doc).blocks.Net?.forward);
  });

  it("passes the border of a block as one of two values", () => {
    const doc = heads();
    const made = extract(doc, "Net", ["n1", "n2"], "Part");
    const inner = net(made?.doc as Doc, "Part").forward;
    expect(inner.output).toEqual({ $tuple: [ref("n1"), training(ref("n2"), null)] });
    const back = inline(made?.doc as Doc, "Net", made?.id ?? "")?.doc as Doc;
    expect(semantic(back).blocks.Net?.forward).toEqual(semantic(doc).blocks.Net?.forward);
    const later = extract(doc, "Net", ["n3", "n4"], "Part");
    expect(given(later?.doc as Doc, later?.id ?? "")).toEqual({ x: training(ref("n2"), null), x2: ref("n1") });
  });

  it("shares its condition with the member that it calls, through groups and blocks", () => {
    const there = { when: "wide" };
    const doc = network({
      ...block(
        [{ ...linear("a"), ...there }, { ...linear("b"), ...there }, linear("c")],
        [{ ...call("n1", "a", "x"), ...there }, { ...call("n2", "b", "n1"), ...there }, call("n3", "c", "x")],
        raw(choice("wide", ref("n2"), ref("n3"))),
      ),
      arguments: [{ name: "wide", type: "bool" }],
    });
    const grouped = group(doc, "Net", ["n1", "n2"], "sequential");
    expect(net(grouped).members[0]).toMatchObject({ when: "wide", items: [{ when: null }, { when: null }] });
    expect(
      net(ungroup(grouped, "Net", "features", () => "input")).members.map((it) => it.kind === "layer" && it.when),
    ).toEqual(["wide", "wide", null]);
    expect(groupRefused(net(doc), ["n1", "n3"], "module_list")).toBe("conditions");
    const made = extract(doc, "Net", ["n1", "n2"], "Part");
    expect(net(made?.doc as Doc).members[0]).toMatchObject({ kind: "block", when: "wide", arguments: {} });
    expect(net(made?.doc as Doc, "Part").members).toMatchObject([{ when: null }, { when: null }]);
    const back = inline(made?.doc as Doc, "Net", made?.id ?? "")?.doc as Doc;
    expect(semantic(back).blocks.Net).toEqual(semantic(doc).blocks.Net);
    const mixed = extract(doc, "Net", ["n1", "n2", "n3"], "Part");
    expect(net(mixed?.doc as Doc, "Part")).toMatchObject({
      arguments: [{ name: "wide" }],
      members: [{ when: "wide" }, { when: "wide" }, { when: null }],
    });
  });

  it("is not put under a second condition", () => {
    const inner = { ...heads().blocks.Net };
    const outer = (when: string | null) =>
      network(block([use("b", "B")], [{ ...call("n1", "b", "x", [], "x"), when }], { $ref: "n1" }), {
        blocks: { B: inner },
      });
    expect(inlineable(outer("not training"), "Net", "n1")).toBeNull();
    expect(inlineable(outer(null), "Net", "n1")).not.toBeNull();
    const flat = inline(outer("training"), "Net", "n1")?.doc as Doc;
    expect(net(flat).forward.nodes.every((it) => it.when === "training")).toBe(true);
    const [, drop, , head] = net(flat).forward.nodes;
    expect(given(flat, head?.id ?? "").input).toEqual(ref(drop?.id ?? ""));
  });
});

describe("cases", () => {
  it("are found through choices in choices, each with the condition that holds last", () => {
    const value = training(1, choice("deep > 2", 2, 3));
    expect(casesOf(value)).toEqual([
      { at: ["then"], holds: "training", otherwise: false },
      { at: ["else", "then"], holds: "deep > 2", otherwise: false },
      { at: ["else", "else"], holds: "not deep > 2", otherwise: true },
    ]);
    expect(casesOf(3)).toEqual([]);
  });

  it("are set one by one", () => {
    const doc = setCase(heads(), "Net", "n4", ["input", "else"], 0.5);
    expect(given(doc, "n4").input).toEqual(training(ref("n2"), 0.5));
    expect(net(setCase(doc, "Net", OUTPUT, ["then", 1], null)).forward.output).toEqual(
      training({ $tuple: [ref("n4"), null] }, ref("n4")),
    );
  });
});
