/** What can be put on the canvas: layers and operations of the catalogue, and what documents are made of besides. */
import type { Catalogue, Entry } from "@/api/types";
import type { Texts } from "@/i18n";
import { carrying } from "@/model/code";
import { addBlock, addItem } from "@/model/edit";
import { nextId } from "@/model/graph";
import type { StepName } from "@/model/history";
import { startArguments } from "@/model/initial";
import { freshName, namesIn } from "@/model/members";
import { snake as snakeName, unique } from "@/model/names";
import { addFunction, addInput, addLayer, addMember, newLayer } from "@/model/nodes";
import { reflowed } from "@/model/room";
import type { Arguments, Block, Doc, Item, Member, Position } from "@/model/types";

/** What a person wrote down of a new member: some of its arguments, and its name. */
type Wished = { given?: Arguments; as?: string | null };

export const CONTAINERS = ["sequential", "module_list", "module_dict"] as const;
export type Thing =
  /** `source`: of a layer of one's own, what the document has to carry. */
  | ({ kind: "layer" | "operation"; entry: Entry; source?: string | undefined } & Wished)
  | { kind: "container"; container: (typeof CONTAINERS)[number] }
  | ({ kind: "block"; name: string } & Wished)
  | { kind: "input" }
  | { kind: "new_block" }
  | { kind: "parameter" }
  | { kind: "buffer" };

/** A thing as palette and quick-add show it. */
export type Listed = {
  thing: Thing;
  /** Stable: the catalogue name, or `input`, `container:sequential`, `block:Residual`… */
  id: string;
  label: string;
  category: string;
  summary: string;
  /** Tells apart what has the same label: the module that it comes from. */
  from: string;
  /** What else it is called, and what it is one of, in small letters. */
  words: readonly string[];
};

/** The name of the step that adds it. What is of no catalogue is called by the page's words. */
export const addStep =
  ({ thing, label }: Pick<Listed, "thing" | "label">): StepName =>
  ({ editor: { steps, structure } }) => {
    switch (thing.kind) {
      case "layer":
      case "operation":
      case "block":
        return steps.add(label);
      case "container":
        return steps.add(structure[thing.container].label);
      default:
        return steps.add(structure[thing.kind].label);
    }
  };

export function thingId(thing: Thing): string {
  switch (thing.kind) {
    case "layer":
    case "operation":
      return thing.entry.name;
    case "container":
      return `container:${thing.container}`;
    case "block":
      return `block:${thing.name}`;
    default:
      return thing.kind;
  }
}

/** Code of layers of one's own, by the names that the catalogue has them under. */
export type Sources = ReadonlyMap<string, string>;
const NO_SOURCES: Sources = new Map();

const listedEntry = (kind: "layer" | "operation", entry: Entry, sources: Sources): Listed => ({
  thing: { kind, entry, source: sources.get(entry.name) },
  id: entry.name,
  label: entry.label,
  category: entry.category,
  summary: entry.summary,
  from:
    kind === "operation" ? entry.name.slice(0, entry.name.lastIndexOf(".")).replace("torch.nn.functional", "F") : "",
  words: [entry.category, ...entry.keywords].map((word) => word.toLowerCase()),
});

export const layersOf = (catalogue: Catalogue, sources = NO_SOURCES): Listed[] =>
  catalogue.layers.map((entry) => listedEntry("layer", entry, sources));
export const operationsOf = (catalogue: Catalogue, sources = NO_SOURCES): Listed[] =>
  catalogue.operations.map((entry) => listedEntry("operation", entry, sources));

/** What is no entry of the catalogue: inputs, containers, blocks, parameters. */
export function structureOf(doc: Doc, inside: string, t: Texts["editor"]): Listed[] {
  const listed = (
    thing: Thing,
    texts: { label: string; summary: string; words: string },
    category: string,
  ): Listed => ({
    thing,
    id: thingId(thing),
    label: texts.label,
    category,
    summary: texts.summary,
    from: "",
    words: texts.words.toLowerCase().split(" "),
  });
  const s = t.structure;
  const blocks = Object.keys(doc.blocks).filter((name) => name !== doc.main && name !== inside);
  return [
    listed({ kind: "input" }, s.input, "terminal"),
    ...CONTAINERS.map((container) => listed({ kind: "container", container }, s[container], "container")),
    ...blocks.map((name) =>
      listed({ kind: "block", name }, { label: name, summary: s.block.summary, words: s.block.words }, "block"),
    ),
    listed({ kind: "new_block" }, s.new_block, "block"),
    listed({ kind: "parameter" }, s.parameter, "parameter"),
    listed({ kind: "buffer" }, s.buffer, "parameter"),
  ];
}

export type Added = { doc: Doc; id: string };

/** Adds a thing to a block's graph, its top left corner at a place. */
export function addThing(doc: Doc, block: string, thing: Thing, at: Position): Added {
  const its = doc.blocks[block] as Block;
  const id = nextId(its.forward);
  switch (thing.kind) {
    case "layer": {
      const { name: target, label } = thing.entry;
      const coded = carrying(doc, target, thing.source);
      const args = { ...startArguments(thing.entry), ...thing.given };
      return { doc: addLayer(coded, block, { target, label, name: thing.as, arguments: args }, id, at), id };
    }
    case "operation": {
      const operation = { target: thing.entry.name, arguments: startArguments(thing.entry) };
      return { doc: addFunction(carrying(doc, operation.target, thing.source), block, operation, id, at), id };
    }
    case "input": {
      const next = addInput(doc, block, its.forward.inputs.length === 0 ? "x" : "x2", at);
      return { doc: next, id: `input:${next.blocks[block]?.forward.inputs.at(-1)?.name}` };
    }
    case "new_block": {
      const made = addBlock(doc, "Block");
      return { doc: addMember(made.doc, block, blockUse(its, { name: made.name }), id, at), id };
    }
    case "block":
      return { doc: addMember(doc, block, blockUse(its, thing), id, at), id };
    case "container":
    case "parameter":
    case "buffer":
      return { doc: addMember(doc, block, memberOf(its, thing), id, at), id };
  }
}

const blockUse = (block: Block, { name, given, as }: { name: string } & Wished): Member => ({
  kind: "block",
  name: as ? unique(as, namesIn(block, "")) : freshName(block, name),
  block: name,
  arguments: { ...given },
  when: null,
});

type Held = Extract<Thing, { kind: "container" }> | { kind: "parameter" | "buffer" };
const CONTAINER_NAMES = { sequential: "features", module_list: "layers", module_dict: "branches" };
function memberOf(block: Block, thing: Held): Member {
  if (thing.kind === "container") {
    return { kind: thing.container, name: freshName(block, CONTAINER_NAMES[thing.container]), items: [], when: null };
  }
  const name = freshName(block, thing.kind === "parameter" ? "scale" : "buffer");
  return thing.kind === "parameter"
    ? { kind: "parameter", name, shape: [1], dtype: "float32", requires_grad: true, init: [], when: null }
    : { kind: "buffer", name, shape: [1], dtype: "float32", persistent: true, fill: 0, when: null };
}

/** Adds a thing to a container, behind its other items or before one of them; null for what a container cannot hold. */
export function addThingTo(doc: Doc, block: string, path: string, thing: Thing, index?: number): Doc | null {
  const item = thingItem(thing);
  if (!item) return null;
  const coded = thing.kind === "layer" ? carrying(doc, thing.entry.name, thing.source) : doc;
  return reflowed(doc, addItem(coded, block, path, item, index), block);
}

/** The thing as an item of a container; null for what a container cannot hold. */
export function thingItem(thing: Thing): Item | null {
  switch (thing.kind) {
    case "layer": {
      const { name: target, label } = thing.entry;
      return newLayer(snakeName(label), target, startArguments(thing.entry));
    }
    case "container":
      return { kind: thing.container, name: CONTAINER_NAMES[thing.container], items: [], when: null };
    case "block":
      return { kind: "block", name: snakeName(thing.name), block: thing.name, arguments: {}, when: null };
    default:
      return null;
  }
}
