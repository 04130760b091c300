import { beforeEach, describe, expect, it } from "vitest";
import { catalogueQuery, queryClient } from "@/api/queries";
import type { Entry } from "@/api/types";
import { text } from "@/i18n";
import { block, call, digits, holding, MAIN, network } from "@/model/example.test-data";
import { edges, place, setWhen } from "@/model/graph";
import { column } from "@/model/room";
import { currentDoc, useDocument } from "@/model/store";
import type { Block, Container, Doc } from "@/model/types";
import { enterMain, select, useView } from "@/model/view";
import { addByHand } from "./adding";
import { dropThing } from "./drop";
import { search } from "./search";
import { countUses, ordered } from "./suggest";
import { type Listed, layersOf, operationsOf, structureOf } from "./things";
import { broughtIn, sameView } from "./useCanvasActions";

const port = (name: string) => ({ name, many: false, required: true, path: [] });
const entry = (name: string, category: string, ...inputs: string[]): Entry =>
  ({
    name,
    label: name.slice(name.lastIndexOf(".") + 1),
    category,
    inputs: inputs.map(port),
    outputs: [port("output")],
    parameters: [],
    keywords: [],
    options: [],
    tensors: [],
    summary: "",
    link: "",
  }) as unknown as Entry;
const catalogue = {
  layers: [
    entry("torch.nn.Conv1d", "convolution", "input"),
    entry("torch.nn.Conv2d", "convolution", "input"),
    entry("torch.nn.Linear", "linear", "input"),
    entry("torch.nn.Bilinear", "linear", "input1", "input2"),
  ],
  operations: [entry("torch.relu", "activation", "input"), entry("torch.Tensor.relu", "activation", "input")],
  initializers: [],
};
const things = [...layersOf(catalogue as never), ...operationsOf(catalogue as never)];
const thing = (id: string) => things.find((listed) => listed.id === id) as Listed;
const main = () => currentDoc().blocks[MAIN] as Block;
const wires = () => edges(main().forward).map((edge) => edge.id);

describe("something added by hand", () => {
  beforeEach(() => {
    queryClient.setQueryData(catalogueQuery.queryKey, catalogue as never);
    const ids = ["input:x", "n1", "n2", "n3", "n4", "n5", "output"];
    const doc = place(digits(), MAIN, column(digits(), MAIN, ids, { x: 0, y: 0 }));
    useDocument.getState().open(doc);
    enterMain(doc);
  });

  it("brings the code of a layer of one's own along, in the same step", () => {
    const mine = [entry("python.Gate", "your layers", "input")];
    const sources = new Map([["python.Gate", "class Gate(nn.Module): ..."]]);
    const [gate] = layersOf({ ...catalogue, layers: mine } as never, sources) as [Listed];
    const before = currentDoc();
    addByHand(gate);
    const code = { Gate: { source: "class Gate(nn.Module): ..." } };
    expect(currentDoc().code).toEqual(code);
    expect(useDocument.getState().history.past).toHaveLength(1);
    useDocument.getState().undo();
    expect(currentDoc()).toEqual(before);
    const boxed = network(block([holding("sequential", "features")], [call("n1", "features", "x")], { $ref: "n1" }));
    useDocument.getState().open(boxed);
    dropThing("Net", gate.thing, "Add Gate", { kind: "box", node: "n1", path: "features", index: 0 }, { x: 0, y: 0 });
    const [features] = (currentDoc().blocks.Net as Block).members as [Container];
    expect(features.items.map((item) => item.kind === "layer" && item.target)).toEqual(["python.Gate"]);
    expect([currentDoc().code, useDocument.getState().history.past.length]).toEqual([code, 1]);
    useDocument.getState().undo();
    expect(currentDoc()).toEqual(boxed);
  });

  it("takes what the one selected node gives, in one step, and is selected itself", () => {
    select(["n3"]);
    addByHand(thing("torch.nn.Linear"));
    expect(wires()).toContain("n3→n6:input");
    expect(useDocument.getState().history.past).toHaveLength(1);
    addByHand(thing("torch.relu"));
    expect(wires()).toContain("n6→n7:input");
    expect([...useView.getState().selection]).toEqual(["n7"]);
  });

  it("runs when what it is added to runs", () => {
    useDocument.getState().apply("", (doc) => setWhen(doc, MAIN, "n3", "training"));
    select(["n3"]);
    addByHand(thing("torch.nn.Linear"));
    expect(main().forward.nodes.at(-1)).toMatchObject({ id: "n6", when: "training" });
    select(["n2"]);
    addByHand(thing("torch.nn.Linear"));
    expect(main().forward.nodes.at(-1)).toMatchObject({ id: "n7", when: null });
  });

  it("stands alone when nothing, or more than one node, is selected", () => {
    const before = wires();
    addByHand(thing("torch.nn.Linear"));
    select(["n1", "n2"]);
    addByHand(thing("torch.nn.Linear"));
    select(["output"]);
    addByHand(thing("torch.nn.Linear"));
    expect(wires()).toEqual(before);
    const places = Object.values(currentDoc().ui.blocks[MAIN]?.positions ?? {}).map(({ x, y }) => `${x},${y}`);
    expect(new Set(places).size).toBe(places.length);
  });

  it("may be an input, which nothing feeds", () => {
    select(["n3"]);
    const [input] = structureOf(currentDoc(), MAIN, text().editor);
    addByHand(input as Listed);
    expect(main().forward.inputs.map((it) => it.name)).toEqual(["x", "x2"]);
  });
});

describe("what is offered first", () => {
  const ids = (axes: number | null, ...recent: string[]) =>
    ordered(things, recent, countUses([digits() as Doc]), axes).map((listed) => listed.id.replace("torch.nn.", ""));

  it("was added last, then is what networks consist of", () => {
    expect(ids(null, "torch.relu").slice(0, 3)).toEqual(["torch.relu", "Conv2d", "Linear"]);
  });

  it("suits the value that is taken further", () => {
    expect(ids(4).at(-1)).toBe("Conv1d");
    expect(ids(3, "torch.nn.Conv2d").at(-1)).toBe("Conv2d");
    const found = (axes: number | null) => search(things, "conv", axes).map((listed) => listed.label);
    expect([found(null), found(3), found(4)]).toEqual([
      ["Conv1d", "Conv2d"],
      ["Conv1d", "Conv2d"],
      ["Conv2d", "Conv1d"],
    ]);
  });
});

describe("a view", () => {
  const view = { x: 0, y: 0, zoom: 0.5 };
  const window = { width: 400, height: 300 };
  it("moves just so far that a new node is seen whole", () => {
    expect(broughtIn(view, { x: 100, y: 100, width: 200, height: 72 }, window)).toEqual({ x: 0, y: 0 });
    expect(broughtIn(view, { x: 100, y: 600, width: 200, height: 72 }, window)).toEqual({ x: 0, y: -60 });
    expect(broughtIn(view, { x: -100, y: 100, width: 200, height: 72 }, window)).toEqual({ x: 74, y: 0 });
  });

  it("is the same but for rounding", () => {
    expect(sameView(view, { x: 0.4, y: -0.4, zoom: 0.5 })).toBe(true);
    expect(sameView(view, { x: 4, y: 0, zoom: 0.5 })).toBe(false);
  });
});
