/** Copy, paste and duplicate: a part of a graph as JSON text, with the members and blocks that it needs. */
import { dropMember } from "./arrange";
import { codeOf, withCode } from "./code";
import { changeBlock, changeRefs, changeView, nextId, nodeAt, viewOf } from "./graph";
import { bare, headOf, inside, mapMember, memberAt, memberLabel, namesIn, parentOf, real } from "./members";
import { snake, unique } from "./names";
import { addMember } from "./nodes";
import { MalformedDocument, normalise, parseJson } from "./normalise";
import { retarget } from "./paths";
import type { Block, Doc, GraphNode, Item, Member, Position } from "./types";
import { ref, same } from "./values";

const KIND = "layerloom/selection";

/** Members that nodes of a selection call: whole direct members, so that items keep their containers. */
function membersOf(block: Block, nodes: GraphNode[]): Member[] {
  const heads = new Set(nodes.filter((node) => node.op !== "function").map((node) => headOf(real(block, node.target))));
  const called = new Set(nodes.map((node) => node.target));
  return block.members.filter((member) => {
    if (member.kind !== "alias") return heads.has(member.name);
    // A tie between two copied members is copied with them; a second name only where it is called.
    const tie = member.name.includes(".") && heads.has(headOf(member.name)) && heads.has(headOf(member.of));
    return tie || [...called].some((path) => inside(path, member.name));
  });
}

/** The blocks that members are instances of, each behind those that are inside it. */
function blocksUsedBy(doc: Doc, members: readonly (Member | Item)[]): string[] {
  const found = new Set<string>();
  const open = new Set<string>();
  const walk = (member: Member | Item): Member | Item => {
    if (member.kind !== "block" || open.has(member.block)) return member;
    open.add(member.block);
    for (const inner of doc.blocks[member.block]?.members ?? []) mapMember(inner, walk);
    if (doc.blocks[member.block]) found.add(member.block);
    return member;
  };
  for (const member of members) mapMember(member, walk);
  return [...found];
}

/** The selected nodes as text; null when there is nothing to copy. Connections from outside are left behind. */
export function copy(doc: Doc, blockName: string, ids: Iterable<string>): string | null {
  const block = doc.blocks[blockName];
  if (!block) return null;
  const nodes = [...ids].map((id) => nodeAt(block.forward, id)).filter((node) => node !== undefined);
  if (nodes.length === 0) return null;
  const selected = new Set(nodes.map((node) => node.id));
  const inside = changeRefs({ inputs: [], nodes, output: null }, (it) => (selected.has(it.$ref) ? it : undefined));
  const ordered = block.forward.nodes.flatMap((node) => inside.nodes.filter((it) => it.id === node.id));
  const selection = trimmed({ ...block, members: membersOf(block, nodes), forward: { ...inside, nodes: ordered } });
  const view = viewOf(doc, blockName);
  const positions = Object.fromEntries(nodes.map((node) => [node.id, view.positions[node.id] ?? { x: 0, y: 0 }]));
  const blocks = {
    ...Object.fromEntries(blocksUsedBy(doc, selection.members).map((name) => [name, doc.blocks[name] as Block])),
    [blockName]: selection,
  };
  const part: Doc = {
    ...doc,
    main: blockName,
    blocks,
    code: codeOf(doc, blocks),
    init: [],
    frozen: [],
    inputs: {},
    ui: { blocks: { [blockName]: { positions, collapsed: view.collapsed.filter((id) => selected.has(id)) } } },
  };
  return JSON.stringify({ kind: KIND, ...part }, null, 2);
}

/** Lists and dicts keep only the items that the copied nodes call, unless a node takes the container whole. */
function trimmed(block: Block): Block {
  const called = block.forward.nodes.filter((node) => node.op !== "function").map((node) => real(block, node.target));
  const tied = block.members.flatMap((member) =>
    member.kind === "alias" ? [real(block, member.of), member.name] : [],
  );
  const used = [...called, ...tied];
  const kept = (path: string) => used.some((it) => inside(it, path));
  const paths = block.members.flatMap((member) =>
    (member.kind === "module_list" || member.kind === "module_dict") && !used.includes(member.name)
      ? member.items.flatMap((item) => (item.kind === "repeat" ? [] : [`${member.name}.${item.name}`]))
      : [],
  );
  // From the back, because the items of a list are renumbered as one goes.
  return paths.toReversed().reduce((now, path) => {
    if (kept(path)) return now;
    const { block: without, move } = dropMember(now, path);
    return retarget(without, move);
  }, block);
}

/** An item of a container as text: a member of its own, and a node that calls it. */
export function copyItem(doc: Doc, blockName: string, path: string): string | null {
  const block = doc.blocks[blockName];
  const item = block && memberAt(block, path);
  if (!item) return null;
  const holder = memberAt(block, parentOf(path));
  const own: Member =
    item.kind === "repeat"
      ? // What is repeated is repeated inside of something.
        ({ kind: "sequential", ...(holder && bare(holder)), name: "items", items: [item] } as Member)
      : ({ ...item, name: /^\d/.test(item.name) ? snake(memberLabel(item)) : item.name } as Member);
  const empty: Block = { ...block, members: [], forward: { inputs: [], nodes: [], output: null } };
  const alone = { ...doc, blocks: { ...doc.blocks, [blockName]: empty }, ui: { blocks: {} } };
  return copy(addMember(alone, blockName, own, "n1", { x: 0, y: 0 }), blockName, ["n1"]);
}

export type Pasted = { doc: Doc; ids: string[] };

/**
 * Pastes copied text with its top left corner at a place. Names are made unique and references follow; a block that
 * the document already has under the same name and content is shared, a different one comes in under a new name.
 *
 * @throws MalformedDocument when the text is not a copied selection, or needs code that differs from the document's;
 * nothing is changed then.
 */
export function paste(doc: Doc, blockName: string, text: string, at: Position): Pasted {
  const part = parse(text);
  const source = part.blocks[part.main];
  if (!doc.blocks[blockName] || !source?.forward.nodes.length) throw new MalformedDocument("no_layers");
  const { doc: next, names: blocks } = bringBlocks(doc, part, source);
  const target = next.blocks[blockName] as Block;
  const taken = namesIn(target, "");
  const names = new Map<string, string>();
  for (const member of source.members) {
    // A tie is named after the member that it is in.
    if (member.name.includes(".")) continue;
    const name = unique(member.name, taken);
    taken.add(name);
    names.set(member.name, name);
  }
  const ids = new Map<string, string>();
  const reserved = new Set<string>();
  for (const node of source.forward.nodes) {
    const id = nextId(target.forward, reserved);
    reserved.add(id);
    ids.set(node.id, id);
  }
  const head = (path: string): string => {
    const [first = "", ...rest] = path.split(".");
    return [names.get(first) ?? first, ...rest].join(".");
  };
  const members = source.members.map((member): Member => {
    const named = { ...mapMember(member, reblock(blocks)), name: head(member.name) } as Member;
    return named.kind === "alias" ? { ...named, of: head(named.of) } : named;
  });
  const linked = changeRefs(source.forward, (it) => {
    const id = ids.get(it.$ref);
    return id ? ref(id, it.path) : undefined;
  });
  const nodes = linked.nodes.map(
    (node): GraphNode => ({
      ...node,
      id: ids.get(node.id) ?? node.id,
      target: node.op === "function" ? node.target : head(node.target),
    }),
  );
  const added = changeBlock(next, blockName, (it) => ({
    ...it,
    members: [...it.members, ...members],
    forward: { ...it.forward, nodes: [...it.forward.nodes, ...nodes] },
  }));
  const view = viewOf(part, part.main);
  const places = source.forward.nodes.map((node) => view.positions[node.id] ?? { x: 0, y: 0 });
  const left = Math.min(...places.map((it) => it.x));
  const top = Math.min(...places.map((it) => it.y));
  const positions = source.forward.nodes.map((node, index): [string, Position] => [
    ids.get(node.id) as string,
    { x: at.x + (places[index]?.x ?? 0) - left, y: at.y + (places[index]?.y ?? 0) - top },
  ]);
  const collapsed = view.collapsed.flatMap((id) => ids.get(id) ?? []);
  return {
    doc: changeView(added, blockName, (it) => ({
      positions: { ...it.positions, ...Object.fromEntries(positions) },
      collapsed: [...it.collapsed, ...collapsed],
    })),
    ids: [...ids.values()],
  };
}

/** The code and the blocks that pasted members need, the blocks innermost first, so that a block is compared with those inside it. */
function bringBlocks(doc: Doc, part: Doc, source: Block): { doc: Doc; names: Map<string, string> } {
  const names = new Map<string, string>();
  let next = withCode(doc, part.code);
  for (const name of blocksUsedBy(part, source.members)) {
    const written = part.blocks[name] as Block;
    const block = { ...written, members: written.members.map((member) => mapMember(member, reblock(names))) };
    const present = next.blocks[name];
    const free = present && !same(present, block) ? unique(name, new Set(Object.keys(next.blocks))) : name;
    names.set(name, free);
    if (!present || free !== name) next = { ...next, blocks: { ...next.blocks, [free]: block } };
  }
  return { doc: next, names };
}

/** Members whose blocks go by the names that they got in the document. */
const reblock =
  (names: ReadonlyMap<string, string>) =>
  (it: Member | Item): Member | Item =>
    it.kind === "block" ? { ...it, block: names.get(it.block) ?? it.block } : it;

function parse(text: string): Doc {
  const json = parseJson(text);
  if (typeof json !== "object" || json === null || !("kind" in json) || json.kind !== KIND)
    throw new MalformedDocument("no_layers");
  return normalise(json);
}

/** The selection once more, a little to the side, with the connections inside of it. */
export function duplicate(doc: Doc, blockName: string, ids: Iterable<string>): Pasted | null {
  const chosen = [...ids];
  const text = copy(doc, blockName, chosen);
  if (text === null) return null;
  const view = viewOf(doc, blockName);
  const places = chosen.flatMap((id) => view.positions[id] ?? []);
  const left = Math.min(...places.map((it) => it.x));
  const top = Math.min(...places.map((it) => it.y));
  return paste(doc, blockName, text, {
    x: (Number.isFinite(left) ? left : 0) + 40,
    y: (Number.isFinite(top) ? top : 0) + 40,
  });
}

/** Whether a text looks like a copied selection, so that other texts can be left to the browser. */
export const isCopied = (text: string): boolean => text.includes(`"${KIND}"`);
