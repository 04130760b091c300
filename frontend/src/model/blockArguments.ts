/** Constructor arguments of a block: expressions inside it use them, and every instance of it may give them. */
import { mapExpressions, mentions, renameIn } from "./expressions";
import { changeBlock } from "./graph";
import { bare, mapMember, walkMembers } from "./members";
import { unique } from "./names";
import type { Arguments, Block, Doc, Member } from "./types";

export type Argument = Block["arguments"][number];

const changeArguments = (doc: Doc, block: string, change: (list: Argument[]) => Argument[]): Doc =>
  changeBlock(doc, block, (it) => ({ ...it, arguments: change(it.arguments) }));

/** What the instances of a block are given, wherever they are. */
function changeInstances(doc: Doc, name: string, change: (args: Arguments) => Arguments): Doc {
  const blocks = Object.entries(doc.blocks).map(([other, block]): [string, Block] => {
    const uses = walkMembers(block).some(({ member }) => {
      const it = bare(member);
      return it.kind === "block" && it.block === name;
    });
    if (!uses) return [other, block];
    const members = block.members.map(
      (member): Member =>
        mapMember(member, (it) =>
          it.kind === "block" && it.block === name ? { ...it, arguments: change(it.arguments) } : it,
        ),
    );
    return [other, { ...block, members }];
  });
  return { ...doc, blocks: Object.fromEntries(blocks) };
}

export function renameArgument(doc: Doc, block: string, from: string, to: string): Doc {
  const renamed = changeBlock(doc, block, (it) => {
    const rename = (text: string) => renameIn(text, from, to);
    return {
      ...it,
      arguments: it.arguments.map((argument) => (argument.name === from ? { ...argument, name: to } : argument)),
      members: mapExpressions(it.members, from, rename),
      forward: mapExpressions(it.forward, from, rename),
    };
  });
  return changeInstances(renamed, block, (args) =>
    Object.fromEntries(Object.entries(args).map(([name, value]) => [name === from ? to : name, value])),
  );
}

/** Members and nodes of a block whose expressions use an argument. */
export function argumentUses(block: Block, name: string): string[] {
  const uses = (part: unknown): boolean => {
    let found = false;
    mapExpressions(part, name, (text) => {
      found ||= mentions(text, name);
      return text;
    });
    return found;
  };
  const members = block.members.filter(uses).map((member) => member.name);
  const nodes = block.forward.nodes.filter(uses).map((node) => (node.op === "function" ? node.target : node.id));
  return [...members, ...nodes, ...(uses(block.forward.output) ? ["forward"] : [])];
}

/** Takes an argument away that nothing in the block uses; instances no longer give it. */
export function removeArgument(doc: Doc, block: string, name: string): Doc {
  const its = doc.blocks[block];
  if (!its || argumentUses(its, name).length > 0) return doc;
  const without = changeArguments(doc, block, (list) => list.filter((argument) => argument.name !== name));
  return changeInstances(without, block, ({ [name]: _, ...others }) => others);
}

export const changeArgument = (doc: Doc, block: string, name: string, part: Partial<Omit<Argument, "name">>): Doc =>
  changeArguments(doc, block, (list) => list.map((it) => (it.name === name ? { ...it, ...part } : it)));

export const addArgument = (doc: Doc, block: string): Doc =>
  changeArguments(doc, block, (list) => [
    ...list,
    { name: unique("width", new Set(list.map((it) => it.name))), type: "int", default: 1, required: false },
  ]);
