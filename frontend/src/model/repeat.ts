/** Items of a container that are built several times: `for _ in range(3)`. */
import { mapExpressions, mentions, renameIn } from "./expressions";
import { changeBlock } from "./graph";
import { changeMember, isContainer, join, lastOf, memberAt, parentOf, usedPaths } from "./members";
import type { Block, Doc, Item, Repeat } from "./types";

/** What Python calls a variable that nothing uses; it is given a name once something is to use it. */
export const UNUSED = "_";

const COUNT = /^\s*range\(\s*(\d+)\s*\)\s*$/;
/** How often a repeat is built, where that is written as a number. */
export function countOf({ over }: Repeat): number | null {
  const found = COUNT.exec(over.$expr);
  return found ? Number(found[1]) : null;
}
/** How often, in as few characters as can be. */
export const timesText = (repeat: Repeat): string => String(countOf(repeat) ?? repeat.over.$expr);
export const countText = (count: number): string => `range(${count})`;

/** Where the items of a container stand, and how the paths of one change: repeats go by their place, `*2`. */
export const repeatedPath = (block: Block, path: string): string => {
  const holder = memberAt(block, parentOf(path));
  const index = isContainer(holder)
    ? holder.items.findIndex((item) => item.kind !== "repeat" && item.name === lastOf(path))
    : -1;
  return join(parentOf(path), `*${index}`);
};

/** Whether an item can be repeated: copies would shift the numbers by which nodes call its neighbours. */
export function canRepeat(block: Block, path: string): boolean {
  const parent = parentOf(path);
  const holder = parent && memberAt(block, parent);
  if (!holder || (holder.kind !== "sequential" && holder.kind !== "module_list")) return false;
  return !usedPaths(block).some((used) => used.startsWith(`${parent}.`));
}

export function repeatItem(doc: Doc, block: string, path: string, count: number): Doc {
  const its = doc.blocks[block];
  if (!its || !canRepeat(its, path)) return doc;
  return changeBlock(doc, block, (it) =>
    changeMember<Item>(
      it,
      path,
      (item): Item => ({ kind: "repeat", variables: [UNUSED], over: { $expr: countText(count) }, item }),
    ),
  );
}

/** Names that expressions of a member may use: the block's arguments, and the variables of repeats around it. */
export function namesAt(block: Block, path: string): Set<string> {
  const steps = path.split(".");
  const around = steps.flatMap((_, index) => {
    const member = memberAt(block, steps.slice(0, index + 1).join("."));
    return member?.kind === "repeat" ? member.variables : [];
  });
  return new Set([...block.arguments.map((argument) => argument.name), ...around]);
}

/** Whether an item can stand without its repeat: nothing in it uses a variable of that. */
export const canStop = ({ item, variables }: Repeat): boolean => !variables.some((variable) => uses(item, variable));

export function uses(part: unknown, name: string): boolean {
  let found = false;
  mapExpressions(part, name, (text) => {
    found ||= mentions(text, name);
    return text;
  });
  return found;
}

/** An item that is built once again. Items of a list get the number of their place. */
export const stopRepeat = (doc: Doc, block: string, path: string): Doc =>
  changeBlock(doc, block, (it) =>
    changeMember<Item>(it, path, (repeat) => {
      if (repeat.kind !== "repeat" || !canStop(repeat)) return repeat;
      const inner = repeat.item;
      const named =
        inner.kind === "repeat" || !/^\d+$/.test(inner.name) ? inner : { ...inner, name: lastOf(path).slice(1) };
      return named;
    }),
  );

export const setOver = (doc: Doc, block: string, path: string, text: string): Doc =>
  changeRepeat(doc, block, path, (repeat) => ({ ...repeat, over: { $expr: text } }));

/** Renames a variable; expressions of the item follow. */
export const renameVariable = (doc: Doc, block: string, path: string, from: string, to: string): Doc =>
  changeRepeat(doc, block, path, (repeat) => ({
    ...repeat,
    variables: repeat.variables.map((name) => (name === from ? to : name)),
    item: mapExpressions(repeat.item, from, (text) => renameIn(text, from, to)),
  }));

const changeRepeat = (doc: Doc, block: string, path: string, change: (repeat: Repeat) => Repeat): Doc =>
  changeBlock(doc, block, (it) =>
    changeMember<Item>(it, path, (repeat) => (repeat.kind === "repeat" ? change(repeat) : repeat)),
  );
