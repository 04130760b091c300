/** Members and items that come, go, move and are renamed; counted items get new numbers, and every use follows. */
import {
  bare,
  changeMember,
  countsItems,
  inside,
  isContainer,
  itemName,
  join,
  lastOf,
  memberAt,
  namesIn,
  numbered,
  parentOf,
} from "./members";
import { nameFault, unique } from "./names";
import { moved, type Rearranged, rearrange } from "./paths";
import type { Block, Container, Doc, Item } from "./types";

/** A block in which a container holds other items. */
function setItems(block: Block, path: string, arrange: (items: Item[]) => Item[]): Rearranged {
  const container = memberAt(block, path);
  const holder = container && bare(container);
  if (!isContainer(holder)) return { block, move: (it) => it };
  const before = holder.items;
  const after = arrange(before);
  const counted = countsItems(holder);
  const places = new Map<string, string | null>(before.map((item, index) => [itemName(item, index), null]));
  const items = after.map((item, index) => {
    const old = before.indexOf(item);
    const next = counted && item.kind !== "repeat" ? { ...item, name: String(index) } : item;
    if (old >= 0) places.set(itemName(item, old), itemName(next, index));
    return next;
  });
  const put = (it: Item): Item =>
    it.kind === "repeat" ? { ...it, item: put(it.item) } : { ...(it as Container), items };
  return { block: changeMember<Item>(block, path, put), move: headsMoved(path, places) };
}

/** Paths below a container follow the first name behind it. */
export function headsMoved(path: string, places: ReadonlyMap<string, string | null>, to = path): Rearranged["move"] {
  return (used) => {
    if (!used.startsWith(`${path}.`)) return used;
    const [head = "", ...rest] = used.slice(path.length + 1).split(".");
    const next = places.get(head);
    if (next === null) return null;
    return next === undefined ? used : [...(to ? [to] : []), next, ...rest].join(".");
  };
}

/** Puts an item into a container, before the item that now stands at `index`. Its name is made unique where names count. */
export function insertItem(block: Block, path: string, index: number, item: Item): Rearranged {
  const holder = memberAt(block, path);
  const container = holder && bare(holder);
  if (!isContainer(container)) return { block, move: (it) => it };
  const named =
    item.kind === "repeat" || countsItems(container)
      ? item
      : { ...item, name: unique(item.name, namesIn(block, path)) };
  return setItems(block, path, (items) => [...items.slice(0, index), named, ...items.slice(index)]);
}

/** Puts other items into the place of one. */
export const replaceItem = (block: Block, path: string, index: number, items: readonly Item[]): Rearranged =>
  setItems(block, path, (all) => [...all.slice(0, index), ...items, ...all.slice(index + 1)]);

export function moveItem(block: Block, path: string, from: number, to: number): Rearranged {
  return setItems(block, path, (items) => {
    const item = items[from];
    if (!item || to < 0 || to >= items.length) return items;
    const rest = items.filter((_, index) => index !== from);
    return [...rest.slice(0, to), item, ...rest.slice(to)];
  });
}

/** Takes a member or item away. Nodes that call it are left to the caller (see `removeMember` in nodes). */
export function dropMember(block: Block, path: string): Rearranged {
  if (!block.members.some((member) => member.name === path))
    return setItems(block, parentOf(path), (items) =>
      items.filter((item, index) => itemName(item, index) !== lastOf(path)),
    );
  const members = block.members.filter((member) => member.name !== path);
  return { block: { ...block, members }, move: (used) => (inside(used, path) ? null : used) };
}

/** Why a member may not be called so; null when it may. */
export function renameRefused(
  block: Block,
  path: string,
  name: string,
): "invalid" | "keyword" | "taken" | "counted" | null {
  if (name === lastOf(path)) return null;
  const parent = parentOf(path);
  const holder = parent ? memberAt(block, parent) : null;
  const container = holder && bare(holder);
  if (isContainer(container) && numbered(container.kind)) return "counted";
  const key = /^[^.\s*][^.]{0,63}$/.test(name) ? null : "invalid";
  const fault = isContainer(container) ? key : nameFault(name);
  if (fault) return fault;
  return namesIn(block, parent).has(name) ? "taken" : null;
}

/** Renames a member or item; whatever spells it out follows. */
export function renameMember(doc: Doc, blockName: string, path: string, name: string): Doc {
  const block = doc.blocks[blockName];
  if (!block || name === lastOf(path) || renameRefused(block, path, name)) return doc;
  const to = join(block.members.some((member) => member.name === path) ? "" : parentOf(path), name);
  return rearrange(doc, blockName, (it) => ({
    block: changeMember(it, path, (member) => (member.kind === "repeat" ? member : { ...member, name })),
    move: moved(path, to),
  }));
}
