/** A node that is built several times in a row, and one of its instances that becomes something of its own. */
import { replaceItem } from "./arrange";
import { literal, mapExpressions, renameIn } from "./expressions";
import { nodeAt } from "./graph";
import { group, groupRefused } from "./group";
import { bare, isContainer, itemName, join, lastOf, memberAt, namesIn, parentOf } from "./members";
import { unique } from "./names";
import { rearrange } from "./paths";
import { countOf, countText, repeatedPath, repeatItem, uses } from "./repeat";
import { ownClass } from "./sharing";
import type { Block, Doc, Item, Repeat } from "./types";

/** Whether a node can be repeated: what it calls goes into a Sequential, which is the node then. */
export const canRepeatNode = (block: Block, id: string): boolean => groupRefused(block, [id], "sequential") === null;

/** One node that calls what a node called several times in a row, each time with weights of its own. */
export function repeatNode(doc: Doc, blockName: string, id: string, count: number): { doc: Doc; item: string } | null {
  const block = doc.blocks[blockName];
  if (!block || !canRepeatNode(block, id)) return null;
  const grouped = group(doc, blockName, [id], "sequential", { name: unique("blocks", namesIn(block, "")) });
  const its = grouped.blocks[blockName] as Block;
  const node = nodeAt(its.forward, id);
  if (node?.op !== "call") return null;
  const path = join(node.target, "0");
  return { doc: repeatItem(grouped, blockName, path, count), item: repeatedPath(its, path) };
}

/** How many instances of a repeated item can be told apart; 0 where they are as many as an expression says. */
export function instancesOf(block: Block, path: string): number {
  const repeat = memberAt(block, path);
  const plain = repeat?.kind === "repeat" && repeat.variables.length === 1 && repeat.item.kind !== "repeat";
  const count = plain && isContainer(memberAt(block, parentOf(path))) ? countOf(repeat) : null;
  return count !== null && count > 1 ? count : 0;
}

/** Takes one instance out of a repeat, into the same place beside the others; an instance of a block gets a class of its own. */
export function detachInstance(
  doc: Doc,
  blockName: string,
  path: string,
  index: number,
): { doc: Doc; item: string } | null {
  const block = doc.blocks[blockName];
  const count = block ? instancesOf(block, path) : 0;
  if (!block || index < 0 || index >= count) return null;
  const repeat = memberAt(block, path) as Repeat;
  const parent = parentOf(path);
  const at = Number(lastOf(path).slice(1));
  const items = [...part(repeat, 0, index), ...part(repeat, index, index + 1), ...part(repeat, index + 1, count)];
  const own = index > 0 ? 1 : 0;
  const named = items.map((item) => withFreeName(item, namesIn(block, parent)));
  const split = rearrange(doc, blockName, (it) => replaceItem(it, parent, at, named));
  const holder = memberAt(split.blocks[blockName] as Block, parent);
  const place = at + own;
  const item = holder && isContainer(bare(holder)) ? (bare(holder) as { items: Item[] }).items[place] : undefined;
  if (!item) return null;
  const found = join(parent, itemName(item, place));
  return { doc: ownClass(split, blockName, found)?.doc ?? split, item: found };
}

/** The instances of a repeat from one number to before another. */
function part(repeat: Repeat, from: number, to: number): Item[] {
  if (to === from) return [];
  const [variable = ""] = repeat.variables;
  const counted = uses(repeat.item, variable);
  if (to - from > 1)
    return [{ ...repeat, over: { $expr: counted && from > 0 ? `range(${from}, ${to})` : countText(to - from) } }];
  const at = (text: string) => (text.trim() === variable ? { value: from } : renameIn(text, variable, literal(from)));
  return [mapExpressions(repeat.item, variable, at)];
}

/** Counted items get the number of their place in any case. */
const withFreeName = (item: Item, taken: ReadonlySet<string>): Item =>
  item.kind === "repeat" ? item : { ...item, name: unique(item.name, taken) };
