/** Copy, paste and duplicate: a part of a graph as JSON text, with the members and blocks that it needs. */
import { changeBlock, changeRefs, changeView, nextId, nodeAt, viewOf } from "./graph";
import { dropMember, namesIn } from "./members";
import { unique } from "./names";
import { MalformedDocument, normalise } from "./normalise";
import type { Block, Doc, GraphNode, Member, Position } from "./types";
import { ref, same } from "./values";

const KIND = "layerloom/selection";

/** Members that nodes of a selection call: whole direct members, so that items keep their containers. */
function membersOf(block: Block, nodes: GraphNode[]): Member[] {
  const heads = new Set(nodes.filter((node) => node.op !== "function").map((node) => node.target.split(".")[0]));
  const wanted = block.members.filter((member) => heads.has(member.name));
  const aliased = wanted.flatMap((member) => (member.kind === "alias" ? [member.of.split(".")[0]] : []));
  return block.members.filter((member) => wanted.includes(member) || aliased.includes(member.name));
}

function blocksUsedBy(doc: Doc, members: readonly unknown[]): string[] {
  const found = new Set<string>();
  const walk = (member: unknown): void => {
    const it = member as { kind?: string; block?: string; items?: unknown[]; item?: unknown };
    if (it.kind === "block" && it.block && doc.blocks[it.block] && !found.has(it.block)) {
      found.add(it.block);
      doc.blocks[it.block]?.members.forEach(walk);
    }
    it.items?.forEach(walk);
    if (it.item) walk(it.item);
  };
  members.forEach(walk);
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
  const part: Doc = {
    ...doc,
    main: blockName,
    blocks: {
      ...Object.fromEntries(blocksUsedBy(doc, selection.members).map((name) => [name, doc.blocks[name] as Block])),
      [blockName]: selection,
    },
    init: [],
    frozen: [],
    inputs: {},
    ui: { blocks: { [blockName]: { positions, collapsed: view.collapsed.filter((id) => selected.has(id)) } } },
  };
  return JSON.stringify({ kind: KIND, ...part }, null, 2);
}

/** Lists and dicts keep only the items that the copied nodes call, unless a node takes the container whole. */
function trimmed(block: Block): Block {
  const used = block.forward.nodes.filter((node) => node.op !== "function").map((node) => node.target);
  const kept = (path: string) => used.some((it) => it === path || it.startsWith(`${path}.`));
  const paths = block.members.flatMap((member) =>
    (member.kind === "module_list" || member.kind === "module_dict") && !used.includes(member.name)
      ? member.items.flatMap((item) => (item.kind === "repeat" ? [] : [`${member.name}.${item.name}`]))
      : [],
  );
  // From the back, because the items of a list are renumbered as one goes.
  return paths.toReversed().reduce((now, path) => (kept(path) ? now : dropMember(now, path)), block);
}

export type Pasted = { doc: Doc; ids: string[] };

/**
 * Pastes copied text with its top left corner at a place. Names are made unique and references follow; a block that
 * the document already has under the same name and content is shared, a different one comes in under a new name.
 *
 * @throws MalformedDocument when the text is not a copied selection; nothing is changed then.
 */
export function paste(doc: Doc, blockName: string, text: string, at: Position): Pasted {
  const part = parse(text);
  const source = part.blocks[part.main];
  if (!doc.blocks[blockName] || !source) throw new MalformedDocument("the text holds no layers");
  const blocks = new Map<string, string>();
  let next = doc;
  for (const [name, block] of Object.entries(part.blocks)) {
    if (name === part.main && !usesBlock(part, name)) continue;
    const present = next.blocks[name];
    const free = present && !same(present, block) ? unique(name, new Set(Object.keys(next.blocks))) : name;
    blocks.set(name, free);
    if (!present || free !== name) next = { ...next, blocks: { ...next.blocks, [free]: block } };
  }
  const target = next.blocks[blockName] as Block;
  const taken = namesIn(target, "");
  const names = new Map<string, string>();
  for (const member of source.members) {
    const name = member.name.includes(".") ? member.name : unique(member.name, taken);
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
    const named = { ...reblock(member, blocks), name: head(member.name) } as Member;
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

function parse(text: string): Doc {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new MalformedDocument("the text is not JSON");
  }
  if (typeof json !== "object" || json === null || !("kind" in json) || json.kind !== KIND)
    throw new MalformedDocument("the text holds no layers");
  return normalise(json);
}

const usesBlock = (doc: Doc, name: string): boolean =>
  Object.values(doc.blocks).some((block) => blocksUsedBy(doc, block.members).includes(name));

/** A member whose blocks go by the names that they got in the document. */
function reblock<T extends { kind: string }>(member: T, names: ReadonlyMap<string, string>): T {
  const it = member as T & { block?: string; items?: T[]; item?: T };
  return {
    ...it,
    ...(it.kind === "block" && it.block ? { block: names.get(it.block) ?? it.block } : {}),
    ...(it.items ? { items: it.items.map((item) => reblock(item, names)) } : {}),
    ...(it.item ? { item: reblock(it.item, names) } : {}),
  };
}

/** The selection once more, a little to the side, fed by what feeds the originals. */
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
