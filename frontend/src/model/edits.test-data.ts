/** Edits drawn at random, each as the editor makes it: what does not apply to a document leaves it as it is. */
import fc from "fast-check";
import { insertItem, moveItem, renameMember } from "./arrange";
import { copy, duplicate, paste } from "./clipboard";
import { connect, disconnectEdge } from "./connect";
import { renameBlock, setInit, setInputOptional, setMemberArgument, toggleCollapsed } from "./edit";
import { digits, MAIN } from "./example.test-data";
import { extract } from "./extract";
import { canvasIds, edges, nextId, nodeAt, OUTPUT, place, setWhen, wouldCycle } from "./graph";
import { type GroupKind, group, moveInto } from "./group";
import { inline } from "./inline";
import { bare, isContainer, itemsOf, parentOf, resolve, walkMembers } from "./members";
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
import { rearrange } from "./paths";
import { memberPorts } from "./ports";
import { callAgain, ownClass, ownMember } from "./sharing";
import type { Block, Doc, Item } from "./types";
import { ungroup } from "./ungroup";

/** What an edit takes from the document, as shares of what there is to choose from. */
export type Draw = {
  readonly kind: string;
  readonly block: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
};

const LAYERS = [
  { target: "torch.nn.Linear", label: "Linear" },
  { target: "torch.nn.ReLU", label: "ReLU" },
  { target: "torch.nn.Conv2d", label: "Conv2d" },
  { target: "torch.nn.BatchNorm2d", label: "BatchNorm2d" },
];
const KINDS: GroupKind[] = ["sequential", "module_list", "module_dict"];
const NAMES = ["features", "stem", "head", "conv", "layers", "fc2", "x", "Block"];

/** The first forward parameter of an item. */
export const portIn = (doc: Doc, block: string) => (item: Item) =>
  memberPorts(doc, doc.blocks[block] as Block, item, () => undefined).inputs[0]?.name ?? "input";

class Site {
  readonly doc: Doc;
  readonly block: string;
  readonly draw: Draw;
  readonly its: Block;
  constructor(doc: Doc, block: string, draw: Draw) {
    this.doc = doc;
    this.block = block;
    this.draw = draw;
    this.its = doc.blocks[block] as Block;
  }
  pick<T>(from: readonly T[], share: "a" | "b" | "c" = "a"): T | undefined {
    return from[Math.min(from.length - 1, Math.floor(this.draw[share] * from.length))];
  }
  get at() {
    return { x: Math.round(this.draw.b * 800), y: Math.round(this.draw.c * 800) };
  }
  get node(): string {
    return this.pick(this.its.forward.nodes.map((node) => node.id)) ?? "";
  }
  /** Several nodes that stand one behind the other in the document. */
  get some(): string[] {
    const ids = this.its.forward.nodes.map((node) => node.id);
    const from = Math.floor(this.draw.a * ids.length);
    return ids.slice(from, from + 1 + Math.floor(this.draw.b * 4));
  }
  /** An input of a node that it has: the second only where there is one. */
  portOf(id: string): string {
    const node = nodeAt(this.its.forward, id);
    if (node?.op === "function") return this.draw.c < 0.7 ? "input" : "other";
    const member = node && resolve(this.its, node.target);
    return member ? portIn(this.doc, this.block)(member as Item) : "input";
  }
  get path(): string {
    return this.pick(walkMembers(this.its).map((it) => it.path)) ?? "";
  }
  get container(): string {
    const found = walkMembers(this.its).filter((it) => isContainer(bare(it.member)));
    return this.pick(found.map((it) => it.path)) ?? "";
  }
  get name(): string {
    return this.pick(NAMES, "c") as string;
  }
}

/** A network that is drawn. */
export function example(): Doc {
  const doc = digits();
  return place(doc, MAIN, Object.fromEntries(canvasIds(doc, MAIN).map((id, row) => [id, { x: 0, y: row * 120 }])));
}

const EDITS: { [kind: string]: (site: Site) => Doc } = {
  addLayer: (it) =>
    addLayer(it.doc, it.block, it.pick(LAYERS) ?? { target: "", label: "" }, nextId(it.its.forward), it.at),
  addFunction: (it) => addFunction(it.doc, it.block, { target: "torch.add" }, nextId(it.its.forward), it.at),
  addInput: (it) => addInput(it.doc, it.block, "x", it.at),
  connect: (it) => {
    const ids = canvasIds(it.doc, it.block);
    const from = it.pick(ids.filter((id) => id !== OUTPUT)) ?? "";
    const to =
      it.pick(
        ids.filter((id) => !id.startsWith("input:")),
        "b",
      ) ?? "";
    if (!from || wouldCycle(it.its.forward, from, to)) return it.doc;
    return connect(it.doc, it.block, { id: from, path: [] }, to, it.portOf(to));
  },
  insert: (it) => {
    const edge = it.pick(edges(it.its.forward));
    const id = it.pick(
      it.its.forward.nodes.map((node) => node.id),
      "b",
    );
    const touches = !edge || !id || edge.source === id || edge.target === id;
    if (touches || wouldCycle(it.its.forward, edge.source, id) || wouldCycle(it.its.forward, id, edge.target))
      return it.doc;
    return insertOnEdge(it.doc, it.block, edge, id, { name: it.portOf(id), many: false }, []);
  },
  disconnect: (it) => {
    const edge = it.pick(edges(it.its.forward));
    return edge ? disconnectEdge(it.doc, it.block, edge) : it.doc;
  },
  remove: (it) => removeNodes(it.doc, it.block, it.some),
  removeMember: (it) => removeMember(it.doc, it.block, it.path),
  group: (it) => group(it.doc, it.block, it.some, it.pick(KINDS, "c") ?? "sequential", { keepNames: it.draw.b < 0.5 }),
  ungroup: (it) => ungroup(it.doc, it.block, it.container, portIn(it.doc, it.block)),
  moveInto: (it) => moveInto(it.doc, it.block, it.node, it.pick([it.container], "b") ?? "", Math.floor(it.draw.c * 4)),
  insertItem: (it) => {
    const path = it.container;
    if (!path) return it.doc;
    return rearrange(it.doc, it.block, (its) => insertItem(its, path, 0, newLayer("extra", "torch.nn.ReLU")));
  },
  moveItem: (it) => {
    const path = it.container;
    const holder = walkMembers(it.its).find((found) => found.path === path);
    const count = holder ? itemsOf(holder.member).length : 0;
    if (count < 2) return it.doc;
    return rearrange(it.doc, it.block, (its) => moveItem(its, path, 0, Math.floor(it.draw.b * count)));
  },
  extract: (it) => extract(it.doc, it.block, it.some, "Part")?.doc ?? it.doc,
  inline: (it) => inline(it.doc, it.block, it.node)?.doc ?? it.doc,
  duplicate: (it) => duplicate(it.doc, it.block, it.some)?.doc ?? it.doc,
  paste: (it) => {
    const text = copy(it.doc, it.block, it.some);
    return text === null ? it.doc : paste(it.doc, it.block, text, it.at).doc;
  },
  rename: (it) => renameMember(it.doc, it.block, it.path, it.name),
  renameInput: (it) => renameInput(it.doc, it.block, it.pick(it.its.forward.inputs)?.name ?? "", it.name),
  renameBlock: (it) => renameBlock(it.doc, it.block, it.name),
  argument: (it) => setMemberArgument(it.doc, it.block, it.path, "out_features", Math.floor(it.draw.b * 64)),
  init: (it) => setInit(it.doc, it.block, it.path, "weight", { function: "torch.nn.init.zeros_", arguments: {} }),
  optional: (it) => setInputOptional(it.doc, it.block, it.pick(it.its.forward.inputs)?.name ?? "", it.draw.b < 0.5),
  when: (it) => setWhen(it.doc, it.block, it.node, it.draw.b < 0.5 ? "training" : null),
  callAgain: (it) => callAgain(it.doc, it.block, it.node)?.doc ?? it.doc,
  ownMember: (it) => ownMember(it.doc, it.block, it.node),
  ownClass: (it) => ownClass(it.doc, it.block, it.path)?.doc ?? it.doc,
  fold: (it) => (it.node ? toggleCollapsed(it.doc, it.block, it.node) : it.doc),
  move: (it) => (it.node ? place(it.doc, it.block, { [it.node]: it.at }) : it.doc),
};
export const EDIT_KINDS = Object.keys(EDITS);

/** The document after an edit. */
export function edited(doc: Doc, draw: Draw): Doc {
  const names = Object.keys(doc.blocks);
  const block = names[Math.min(names.length - 1, Math.floor(draw.block * names.length))] as string;
  return (EDITS[draw.kind] as (site: Site) => Doc)(new Site(doc, block, draw));
}

const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
/** Edits in a row. */
export const edits = (most: number): fc.Arbitrary<Draw[]> =>
  fc.array(fc.record({ kind: fc.constantFrom(...EDIT_KINDS), block: share, a: share, b: share, c: share }), {
    minLength: 1,
    maxLength: most,
  });

/** What no edit may break: names are unique, and nothing points at what is not there. Told by the first fault. */
export function faultOf(doc: Doc): string | null {
  if (!doc.blocks[doc.main]) return `no main block ${doc.main}`;
  for (const [name, block] of Object.entries(doc.blocks)) {
    const ids = block.forward.nodes.map((node) => node.id);
    const known = new Set([...ids, ...block.forward.inputs.map((input) => input.name)]);
    if (known.size < ids.length + block.forward.inputs.length) return `${name}: an id twice`;
    const lost = edges(block.forward).find((edge) => !known.has(edge.source.replace(/^input:/, "")));
    if (lost) return `${name}: ${lost.id} comes from nowhere`;
    const paths = walkMembers(block).map((it) => it.path);
    if (new Set(paths).size < paths.length) return `${name}: a name twice among ${paths}`;
    const places = new Set(paths);
    for (const node of block.forward.nodes)
      if (node.op !== "function" && !places.has(node.target) && !places.has(parentOf(node.target)))
        return `${name}: ${node.id} calls ${node.target}, which is not there`;
    for (const { path, member } of walkMembers(block)) {
      const use = bare(member);
      if (use.kind === "block" && !doc.blocks[use.block]) return `${name}: ${path} is of no block ${use.block}`;
    }
    const stale = Object.keys(doc.ui.blocks[name]?.positions ?? {}).find((id) => !canvasIds(doc, name).includes(id));
    if (stale) return `${name}: a place for ${stale}, which is not there`;
  }
  return null;
}
