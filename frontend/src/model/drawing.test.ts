import { describe, expect, it } from "vitest";
import type { Entry, Fix, Report } from "@/api/types";
import { addItem, toggleCollapsed } from "./edit";
import { digits, linear, MAIN } from "./example.test-data";
import { GAP, handleX, NODE_HEIGHT, NODE_WIDTH, rows } from "./geometry";
import { changeGraph, type Edge, edges, NEW_OUTPUT, place, refName, viewOf } from "./graph";
import { group } from "./group";
import { addFunction, insertOnEdge, removeMember } from "./nodes";
import { mended } from "./patch";
import { type Lookup, outputInPorts, portsOf, usedPaths } from "./ports";
import { nodeReport, problemsHere, resultText, shapeText } from "./report";
import { column, heightOf, makeRoom, reflowed } from "./room";
import type { Block, Doc, GraphNode, Item } from "./types";
import { ungroup } from "./ungroup";
import { ref } from "./values";

const main = (doc: Doc): Block => doc.blocks[MAIN] as Block;
const node = (doc: Doc, id: string) => main(doc).forward.nodes.find((it) => it.id === id) as GraphNode;
const ids = (doc: Doc) => ["input:x", ...main(doc).forward.nodes.map((it) => it.id), "output"];
/** The example with its nodes one below the other. */
const drawn = () => {
  const doc = digits();
  return place(doc, MAIN, column(doc, MAIN, ids(doc), { x: 0, y: 0 }));
};
/** Pairs of nodes that stand closer than the gap between two neighbours. */
function crowded(doc: Doc): string[] {
  const boxes = Object.entries(viewOf(doc, MAIN).positions).sort(([, a], [, b]) => a.y - b.y);
  return boxes.flatMap(([id, at], index) => {
    const next = boxes[index + 1];
    return next && next[1].y - at.y - heightOf(doc, MAIN, id) < GAP ? [`${id} ${next[0]}`] : [];
  });
}

/** A mend that puts an operation between a node's first connection and the node. */
function inFrontOf(doc: Doc, id: string): Fix {
  const at = main(doc).forward.nodes.findIndex((it) => it.id === id);
  const nodes = `/blocks/${MAIN}/forward/nodes`;
  const { source, at: input } = edges(main(doc).forward).find((edge) => edge.target === id) as Edge;
  const value = { op: "function", id: "new", target: "torch.flatten", arguments: { input: ref(refName(source)) } };
  return {
    title: "",
    edits: [
      { op: "add", path: `${nodes}/${at}`, value },
      { op: "replace", path: `${nodes}/${at + 1}/arguments/${input.join("/")}`, value: ref("new") },
    ],
  };
}

const entry = (name: string, inputs: Entry["inputs"], outputs: Entry["outputs"]): Entry => ({
  name,
  label: name,
  category: "",
  summary: "",
  link: "",
  parameters: [],
  inputs,
  outputs,
  options: [],
  keywords: [],
  tensors: [],
  tasks: [],
  parts: false,
});
const port = (name: string, path: (number | string)[] = [], many = false) => ({ name, path, required: true, many });
const lookup: Lookup = (name) =>
  name === "torch.nn.LSTM"
    ? entry(name, [port("input")], [port("output", [0]), port("h_n", [1, 0]), port("c_n", [1, 1])])
    : entry(name, [port("input")], [port("output")]);

describe("room", () => {
  it("stays between nodes as a chain is grouped and freed again", () => {
    const doc = drawn();
    expect(crowded(doc)).toEqual([]);
    const grouped = group(doc, MAIN, ["n1", "n2", "n3"], "sequential");
    expect(crowded(grouped)).toEqual([]);
    const freed = ungroup(grouped, MAIN, "features", () => "input");
    expect(crowded(freed)).toEqual([]);
    expect(viewOf(freed, MAIN).positions).toEqual(viewOf(doc, MAIN).positions);
  });

  it("is made for what comes into an edge", () => {
    const doc = addFunction(drawn(), MAIN, { target: "torch.relu" }, "n6", { x: 300, y: 0 });
    const edge = edges(main(doc).forward).find((it) => it.id === "n4→n5:input") as ReturnType<typeof edges>[number];
    const joined = insertOnEdge(doc, MAIN, edge, "n6", { name: "input", many: false }, []);
    expect(crowded(makeRoom(joined, MAIN, edge, "n6"))).toEqual([]);
  });

  it("is made for what a mend puts in front of a node", () => {
    const next = mended(drawn(), inFrontOf(drawn(), "n4")) as Doc;
    expect(crowded(next)).toEqual([]);
    expect(viewOf(next, MAIN).positions.new).toEqual(viewOf(drawn(), MAIN).positions.n4);
  });

  it("is beside the main way for what a mend puts into a shortcut", () => {
    const added = addFunction(drawn(), MAIN, { target: "torch.add" }, "n6", { x: 0, y: 900 });
    const joined = changeGraph(added, MAIN, (graph) => ({
      ...graph,
      nodes: graph.nodes.map((it) =>
        it.id === "n6" ? { ...it, arguments: { input: ref("n1"), other: ref("n5") } } : it,
      ) as GraphNode[],
    }));
    const { positions } = viewOf(mended(joined, inFrontOf(joined, "n6")) as Doc, MAIN);
    const way = positions.n5?.x ?? 0;
    expect(positions.new?.x).toBeGreaterThanOrEqual(way + NODE_WIDTH);
    expect(positions.n6?.y).toBeGreaterThan(positions.new?.y ?? 0);
  });

  it("follows a box that folds and unfolds", () => {
    const grouped = group(drawn(), MAIN, ["n1", "n2", "n3"], "sequential");
    const folded = reflowed(grouped, toggleCollapsed(grouped, MAIN, "n3"), MAIN);
    expect(heightOf(folded, MAIN, "n3")).toBe(NODE_HEIGHT);
    expect(crowded(folded)).toEqual([]);
    expect(reflowed(folded, toggleCollapsed(folded, MAIN, "n3"), MAIN)).toEqual(grouped);
  });

  it("moves only what stands in the column of a box that grows", () => {
    const grouped = group(drawn(), MAIN, ["n1", "n2", "n3"], "sequential", { name: "features" });
    const y = grouped.ui.blocks[MAIN]?.positions;
    const aside = place(grouped, MAIN, { output: { x: 900, y: y?.output?.y ?? 0 } });
    const grown = reflowed(aside, addItem(aside, MAIN, "features", linear("more") as Item), MAIN);
    expect(grown.ui.blocks[MAIN]?.positions.output).toEqual(aside.ui.blocks[MAIN]?.positions.output);
    expect(grown.ui.blocks[MAIN]?.positions.n4?.y).toBeGreaterThan(y?.n4?.y ?? 0);
    expect(reflowed(grown, removeMember(grown, MAIN, "features.3"), MAIN)).toEqual(aside);
  });

  it("stacks the items of a box without overlap, nested ones inside theirs", () => {
    const inner = group(drawn(), MAIN, ["n1", "n2"], "sequential", { name: "inner" });
    const outer = group(inner, MAIN, ["n2", "n3"], "sequential", { name: "outer", keepNames: true });
    const holder = main(outer).members[0];
    const lines = holder && "items" in holder ? rows(holder.items, "outer", 0).rows : [];
    expect(lines.map((line) => line.path)).toEqual(["outer.inner", "outer.inner.0", "outer.inner.1", "outer.relu"]);
    const [first, , last, after] = lines;
    expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual((first?.y ?? 0) + (first?.extent ?? 0));
    expect(after?.y).toBeGreaterThanOrEqual((first?.y ?? 0) + (first?.extent ?? 0));
  });
});

describe("ports", () => {
  const withLstm = () => {
    const doc = digits();
    const block = main(doc);
    const members = block.members.map((it) =>
      it.name === "conv" ? { ...it, target: "torch.nn.LSTM" } : it,
    ) as Block["members"];
    return { ...doc, blocks: { [MAIN]: { ...block, members } } };
  };

  it("have the catalogue's names and places in the result", () => {
    const doc = withLstm();
    const { outputs } = portsOf(doc, main(doc), node(doc, "n1"), lookup, []);
    expect(outputs).toEqual([
      { name: "output", path: [0] },
      { name: "h_n", path: [1, 0] },
      { name: "c_n", path: [1, 1] },
    ]);
  });

  it("show every part that an edge starts from, known or not", () => {
    const doc = digits();
    const { outputs } = portsOf(doc, main(doc), node(doc, "n1"), lookup, [[3]]);
    expect(outputs.map((it) => it.name)).toEqual(["output", "3"]);
  });

  it("open up a result of which the check saw the parts", () => {
    const doc = digits();
    const tensor = { shape: [2, 4], dtype: "float32", batch_axes: [0] };
    const { outputs } = portsOf(doc, main(doc), node(doc, "n4"), lookup, [], [tensor, tensor]);
    expect(outputs.map((it) => it.path)).toEqual([[0], [1]]);
  });

  it("of a loop carry the value as input, whatever the items call it", () => {
    const list = group(digits(), MAIN, ["n1", "n2", "n3"], "module_list", { name: "stages" });
    const loop: GraphNode = { op: "loop", id: "n9", name: null, when: null, target: "stages", arguments: {} };
    expect(portsOf(list, main(list), loop, lookup, []).inputs.map((it) => it.name)).toEqual(["input"]);
  });

  it("of the output follow its form, with one more to add", () => {
    expect(outputInPorts(null).map((it) => it.name)).toEqual(["output"]);
    expect(outputInPorts(ref("n1")).map((it) => it.name)).toEqual(["output", NEW_OUTPUT]);
    expect(outputInPorts({ $dict: { a: ref("n1"), b: null } }).map((it) => it.name)).toEqual(["a", "b", NEW_OUTPUT]);
    const ports = outputInPorts(ref("n1"));
    expect(handleX(160, 0, ports)).toBe(80);
  });

  it("know which parts are used", () => {
    expect(usedPaths(main(digits())).get("n1")).toEqual([[]]);
  });
});

describe("reading a report", () => {
  it("writes the batch as N", () => {
    expect(shapeText([2, 16, 8, 8], [0], 2)).toBe("N×16×8×8");
    expect(shapeText([32, 4], [0], 2)).toBe("16N×4");
    expect(shapeText([], [], 2)).toBe("scalar");
    expect(shapeText([5, 3], [], 2)).toBe("5×3");
  });

  it("writes tuples and dicts", () => {
    const tensor = { shape: [2, 4], dtype: "float32", batch_axes: [0] };
    expect(resultText([tensor, [tensor, tensor]], 2)).toBe("(N×4, (N×4, N×4))");
    expect(resultText({ a: tensor }, 2)).toBe("{a: N×4}");
    expect(resultText({ text: "None" }, 2)).toBe("None");
    expect(resultText(null, 2)).toBe("");
  });

  it("finds nodes and problems of the instance that is shown", () => {
    const problem = (block: string, instance: string | null) =>
      ({ block, instance, code: "no_input" }) as Report["problems"][number];
    const report = {
      nodes: { "#n1": { parameters: 1 }, "encoder#n1": { parameters: 2 } },
      problems: [problem("A", null), problem("A", "encoder"), problem("A", "decoder"), problem("B", "encoder")],
    } as unknown as Report;
    const at = { block: "A", instance: "encoder" };
    expect(nodeReport(report, at, "n1")?.parameters).toBe(2);
    expect(problemsHere(report, at)).toHaveLength(2);
  });
});
