/** The tree that a block's `__init__` registers, addressed by dotted paths as in a state_dict key. */
import { snake, unique } from "./names";
import type { Block, Container, GraphNode, Item, Member, Repeat } from "./types";

export type Alias = Extract<Member, { kind: "alias" }>;

/** A repeated item has no name of its own; `*2` in a path is the item written at place 2. */
export const itemName = (item: Item | Member, index: number): string =>
  item.kind === "repeat" ? `*${index}` : item.name;

export const isContainer = (member: Member | Item | null | undefined): member is Container =>
  member?.kind === "sequential" ||
  member?.kind === "module_list" ||
  member?.kind === "module_dict" ||
  member?.kind === "parameter_list" ||
  member?.kind === "parameter_dict";

/** The condition under which a member is there at all; null for always. Items are there whenever their container is. */
export const whenOf = (member: Member | Item): string | null => ("when" in member ? member.when : null);

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf(".")));
export const headOf = (path: string): string => path.split(".")[0] ?? "";
export const lastOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
/** What a member is, without the catalogue, which comes a moment after the document. */
export const kindOf = (member: Member | Item): string =>
  member.kind === "block"
    ? member.block
    : member.kind === "layer"
      ? lastOf(member.target)
      : (member.kind === "opaque" && lastOf(member.type)) || member.kind;
export const join = (parent: string, name: string): string => (parent ? `${parent}.${name}` : name);
export const inside = (path: string, root: string): boolean => path === root || path.startsWith(`${root}.`);

/** What a repeat holds, or the item itself. */
export const bare = (item: Member | Item): Member | Exclude<Item, Repeat> =>
  item.kind === "repeat" ? (bare(item.item) as Exclude<Item, Repeat>) : item;

export const itemsOf = (member: Member | Item): Item[] => {
  const it = bare(member);
  return isContainer(it) ? it.items : [];
};

function itemAt(holder: Member | Item, name: string): Item | undefined {
  const items = itemsOf(holder);
  const written = items.find((item, index) => itemName(item, index) === name);
  // The copies of a repeated item have numbers only, and each is like the one that is written down.
  return written ?? (items.length === 1 && items[0]?.kind === "repeat" ? items[0] : undefined);
}

type Table = { byName: ReadonlyMap<string, Member>; aliases: readonly Alias[] };
const tables = new WeakMap<readonly Member[], Table>();

/** A block's own members by name. Looked up for every node of a canvas, so it is made once. */
function table({ members }: Block): Table {
  const known = tables.get(members);
  if (known) return known;
  // The first of a name counts, as it is the one that a form shows.
  const byName = new Map(members.toReversed().map((member) => [member.name, member]));
  const made = { byName, aliases: members.filter((member) => member.kind === "alias") };
  tables.set(members, made);
  return made;
}

export function memberAt(block: Block, path: string): Member | Item | null {
  const { byName } = table(block);
  const direct = byName.get(path);
  if (direct) return direct;
  const [head = "", ...rest] = path.split(".");
  let found: Member | Item | undefined = byName.get(head);
  for (const name of rest) {
    if (!found) return null;
    found = itemAt(found, name);
  }
  return found ?? null;
}

export const aliasOn = (block: Block, path: string): Alias | undefined =>
  table(block).aliases.find((alias) => inside(path, alias.name));

/** A path with the alias at its beginning replaced by what that stands for, through any number of aliases. */
export function real(block: Block, path: string, depth = 8): string {
  const alias = depth > 0 ? aliasOn(block, path) : undefined;
  return alias ? real(block, alias.of + path.slice(alias.name.length), depth - 1) : path;
}

/** The member at a path, behind aliases. */
export const resolve = (block: Block, path: string): Member | Item | null => memberAt(block, real(block, path));

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

export const numbered = (kind: Container["kind"]): boolean => kind === "module_list" || kind === "parameter_list";
const inOrder = (items: Item[]): boolean =>
  items.every((item, index) => item.kind === "repeat" || item.name === String(index));

/** Whether a container's items are called by their place: lists always, a Sequential while nobody named its items. */
export const countsItems = (container: Container): boolean =>
  numbered(container.kind) || (container.kind === "sequential" && inOrder(container.items));

export function namesIn(block: Block, parent: string): Set<string> {
  if (!parent) return new Set(block.members.map((member) => member.name));
  const holder = memberAt(block, parent);
  return new Set(holder ? itemsOf(holder).map(itemName) : []);
}

/** A free attribute name for something with this label. */
export const freshName = (block: Block, label: string, parent = ""): string =>
  unique(snake(label), namesIn(block, parent));

/** What a fresh name is made from. */
export function memberLabel(item: Item | Member): string {
  if (item.kind === "layer") return lastOf(item.target);
  if (item.kind === "block") return item.block;
  if (item.kind === "repeat") return memberLabel(item.item);
  if (item.kind === "opaque") return kindOf(item);
  return item.kind;
}

/** A member with a change made to it and to everything inside it, from the inside out. */
export function mapMember<T extends Member | Item>(member: T, change: (it: Member | Item) => Member | Item): T {
  const it = member as Member | Item;
  if (it.kind === "repeat") return change({ ...it, item: mapMember(it.item, change) }) as T;
  if ("items" in it) return change({ ...it, items: it.items.map((item) => mapMember(item, change)) }) as T;
  return change(it) as T;
}
