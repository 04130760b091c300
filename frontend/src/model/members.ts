/** The tree that a block's `__init__` registers, addressed by dotted paths as in a state_dict key. */
import { isName, snake, unique } from "./names";
import type { Block, Container, Doc, GraphNode, Item, Member, Repeat } from "./types";

/** A repeated item has no name of its own; `*2` in a path is the item written at place 2. */
export const itemName = (item: Item | Member, index: number): string =>
  item.kind === "repeat" ? `*${index}` : item.name;

export const isContainer = (member: Member | Item | null | undefined): member is Container =>
  member?.kind === "sequential" ||
  member?.kind === "module_list" ||
  member?.kind === "module_dict" ||
  member?.kind === "parameter_list" ||
  member?.kind === "parameter_dict";

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")));
export const lastOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
/** What a member is, without the catalogue, which comes a moment after the document. */
export const kindOf = (member: Member | Item): string =>
  member.kind === "block" ? member.block : member.kind === "layer" ? lastOf(member.target) : member.kind;
export const join = (parent: string, name: string): string => (parent ? `${parent}.${name}` : name);
const inside = (path: string, root: string): boolean => path === root || path.startsWith(`${root}.`);

/** What a repeat holds, or the item itself. */
export const bare = (item: Member | Item): Member | Exclude<Item, Repeat> =>
  item.kind === "repeat" ? (bare(item.item) as Exclude<Item, Repeat>) : item;

const itemsOf = (member: Member | Item): Item[] => {
  const it = bare(member);
  return isContainer(it) ? it.items : [];
};

function itemAt(holder: Member | Item, name: string): Item | undefined {
  const items = itemsOf(holder);
  const written = items.find((item, index) => itemName(item, index) === name);
  // The copies of a repeated item have numbers only, and each is like the one that is written down.
  return written ?? (items.length === 1 && items[0]?.kind === "repeat" ? items[0] : undefined);
}

export function memberAt(block: Block, path: string): Member | Item | null {
  const direct = block.members.find((member) => member.name === path);
  if (direct) return direct;
  const [head, ...rest] = path.split(".");
  let found: Member | Item | undefined = block.members.find((member) => member.name === head);
  for (const name of rest) {
    if (!found) return null;
    found = itemAt(found, name);
  }
  return found ?? null;
}

/** The member that an alias stands for, through any number of aliases; others as they are. */
export function resolve(block: Block, path: string, depth = 8): Member | Item | null {
  const member = memberAt(block, path);
  if (member?.kind !== "alias" || depth === 0) return member;
  return resolve(block, member.of, depth - 1);
}

type Change = (member: Item) => Item | null;
function changeItems(items: Item[], path: string[], change: Change): Item[] {
  const [head, ...rest] = path;
  return items.flatMap((item, index) => {
    if (itemName(item, index) !== head) return [item];
    const next = rest.length === 0 ? change(item) : changeInside(item, rest, change);
    return next ? [next] : [];
  });
}
function changeInside(item: Item, path: string[], change: Change): Item {
  if (item.kind === "repeat") return { ...item, item: changeInside(item.item, path, change) };
  return isContainer(item) ? { ...item, items: changeItems(item.items, path, change) } : item;
}

/** A block with the member at a path replaced, or removed where `change` gives null. */
export function changeMember<T extends Member | Item>(
  block: Block,
  path: string,
  change: (member: T) => Member | Item | null,
): Block {
  const names = block.members.some((member) => member.name === path) ? [path] : path.split(".");
  // Members and items differ in buffers, aliases and repeats only, and the path decides which of the two is meant.
  const members = changeItems(block.members as Item[], names, change as unknown as Change) as Member[];
  return { ...block, members };
}

/** Every member with its path, depth first. */
export function walkMembers(block: Block): { path: string; member: Member | Item }[] {
  const walk = (members: (Member | Item)[], parent: string): { path: string; member: Member | Item }[] =>
    members.flatMap((member, index) => {
      const path = join(parent, itemName(member, index));
      return [{ path, member }, ...walk(itemsOf(member), path)];
    });
  return walk(block.members, "");
}

const targets = (node: GraphNode): boolean => node.op !== "function";

/** Every path that the block's nodes and aliases use. */
export function usedPaths(block: Block): string[] {
  return [
    ...block.forward.nodes.filter(targets).map((node) => node.target),
    ...block.members.flatMap((member) => (member.kind === "alias" ? [member.of] : [])),
  ];
}
export const isUsed = (block: Block, path: string): boolean =>
  usedPaths(block).some((used) => inside(used, path) || inside(path, used));

/** A block whose nodes and aliases follow their members to new paths. */
export function retarget(block: Block, move: (path: string) => string): Block {
  const nodes = block.forward.nodes.map((node) => {
    const target = targets(node) ? move(node.target) : node.target;
    return target === node.target ? node : { ...node, target };
  });
  const members = block.members.map((member) =>
    member.kind === "alias" && move(member.of) !== member.of ? { ...member, of: move(member.of) } : member,
  );
  return { ...block, members, forward: { ...block.forward, nodes } };
}

/** Paths at and below `from` move to `to`. */
export const moved =
  (from: string, to: string) =>
  (path: string): string =>
    inside(path, from) ? to + path.slice(from.length) : path;

const numbered = (kind: Container["kind"]): boolean => kind === "module_list" || kind === "parameter_list";
const inOrder = (items: Item[]): boolean =>
  items.every((item, index) => item.kind === "repeat" || item.name === String(index));

/** Whether a container's items are called by their place: lists always, a Sequential while nobody named its items. */
export const countsItems = (container: Container): boolean =>
  numbered(container.kind) || (container.kind === "sequential" && inOrder(container.items));

/**
 * A block in which a container holds other items. Items that are counted get their new numbers, and every use of an
 * item follows it to its new place.
 */
function setItems(block: Block, path: string, arrange: (items: Item[]) => Item[]): Block {
  const container = memberAt(block, path);
  const holder = container && bare(container);
  if (!isContainer(holder)) return block;
  const before = holder.items;
  const after = arrange(before);
  const counted = countsItems(holder);
  const places = new Map<string, string>();
  const items = after.map((item, index) => {
    const old = before.indexOf(item);
    const next = counted && item.kind !== "repeat" ? { ...item, name: String(index) } : item;
    if (old >= 0) places.set(itemName(item, old), itemName(next, index));
    return next;
  });
  const put = (it: Item): Item =>
    it.kind === "repeat" ? { ...it, item: put(it.item) } : { ...(it as Container), items };
  const changed = changeMember<Item>(block, path, put);
  return retarget(changed, (used) => {
    if (!used.startsWith(`${path}.`)) return used;
    const [head = "", ...rest] = used.slice(path.length + 1).split(".");
    return [path, places.get(head) ?? head, ...rest].join(".");
  });
}

export function namesIn(block: Block, parent: string): Set<string> {
  if (!parent) return new Set(block.members.map((member) => member.name));
  const holder = memberAt(block, parent);
  return new Set(holder ? itemsOf(holder).map(itemName) : []);
}

/** Puts an item into a container, before the item that now stands at `index`. Its name is made unique where names count. */
export function insertItem(block: Block, path: string, index: number, item: Item): Block {
  const holder = memberAt(block, path);
  const container = holder && bare(holder);
  if (!isContainer(container)) return block;
  const named =
    item.kind === "repeat" || countsItems(container)
      ? item
      : { ...item, name: unique(item.name, namesIn(block, path)) };
  return setItems(block, path, (items) => [...items.slice(0, index), named, ...items.slice(index)]);
}

export function moveItem(block: Block, path: string, from: number, to: number): Block {
  return setItems(block, path, (items) => {
    const item = items[from];
    if (!item || to < 0 || to >= items.length) return items;
    const rest = items.filter((_, index) => index !== from);
    return [...rest.slice(0, to), item, ...rest.slice(to)];
  });
}

/** Takes a member or item away. Nodes that call it are left to the caller (see `removeMember` in graph). */
export function dropMember(block: Block, path: string): Block {
  const direct = block.members.some((member) => member.name === path);
  const without = direct
    ? { ...block, members: block.members.filter((member) => member.name !== path) }
    : setItems(block, parentOf(path), (items) => items.filter((item, index) => itemName(item, index) !== lastOf(path)));
  // Aliases of parameters inside the member, and those of the member itself, have nothing left to name.
  const members = without.members.filter(
    (member) => !(member.kind === "alias" && (inside(member.of, path) || inside(member.name, path))),
  );
  return { ...without, members };
}

/** Why a member may not be called so; null when it may. */
export function renameRefused(block: Block, path: string, name: string): "invalid" | "taken" | "counted" | null {
  if (name === lastOf(path)) return null;
  const parent = parentOf(path);
  const holder = parent ? memberAt(block, parent) : null;
  const container = holder && bare(holder);
  if (isContainer(container) && numbered(container.kind)) return "counted";
  const free = isContainer(container) ? /^[^.\s*][^.]{0,63}$/.test(name) : isName(name);
  if (!free) return "invalid";
  return namesIn(block, parent).has(name) ? "taken" : null;
}

/** Renames a member; nodes, aliases, and in the main block the rules and frozen patterns that spell it out, follow. */
export function renameMember(doc: Doc, blockName: string, path: string, name: string): Doc {
  const block = doc.blocks[blockName];
  if (!block || name === lastOf(path) || renameRefused(block, path, name)) return doc;
  const to = join(block.members.some((member) => member.name === path) ? "" : parentOf(path), name);
  const follow = moved(path, to);
  const renamed = changeMember(block, path, (member) => (member.kind === "repeat" ? member : { ...member, name }));
  const next = { ...doc, blocks: { ...doc.blocks, [blockName]: retarget(renamed, follow) } };
  if (blockName !== doc.main) return next;
  return {
    ...next,
    frozen: doc.frozen.map(follow),
    init: doc.init.map((rule) => ({ ...rule, name: follow(rule.name) })),
  };
}

/** A free attribute name for something with this label. */
export const freshName = (block: Block, label: string, parent = ""): string =>
  unique(snake(label), namesIn(block, parent));
