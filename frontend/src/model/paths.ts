/** Members that go to other places, and everything that spells out their paths: nodes, aliases, other blocks, patterns. */
import { aliasOn, bare, inside, join, lastOf, parentOf, real, walkMembers } from "./members";
import type { Block, Doc, GraphNode, Member } from "./types";
import { changeParts, type MovePart } from "./uses";

/** Where a path goes; null for what is removed. */
export type Move = (path: string) => string | null;
/** A block whose members were arranged anew, and where their paths went. Its nodes and aliases do not know of it yet. */
export type Rearranged = { block: Block; move: Move };

/** Paths at and below `from` move to `to`. */
export const moved =
  (from: string, to: string) =>
  (path: string): string =>
    inside(path, from) ? to + path.slice(from.length) : path;

/** Where a path goes that may begin with an alias: what is written through the alias stays so where it can. */
function follow(block: Block, path: string, move: Move): string | null {
  const to = move(real(block, path));
  const alias = aliasOn(block, path);
  if (to === null || !alias) return to;
  const name = move(alias.name);
  if (name === null || path === alias.name) return name;
  const stem = move(real(block, alias.name));
  return stem !== null && inside(to, stem) ? name + to.slice(stem.length) : to;
}

const targets = (node: GraphNode): boolean => node.op !== "function";

type Choose = Extract<GraphNode, { op: "choose" }>;

/** What an item is called where a choice finds it; null for one that has left the container. */
function keyAfter(block: Block, node: Choose, move: Move, key: string): string | null {
  const item = follow(block, join(node.target, key), move);
  return item !== null && parentOf(item) === follow(block, node.target, move) ? lastOf(item) : null;
}

/** A block whose nodes and aliases follow. Aliases of what is removed go with it. */
export function retarget(block: Block, move: Move): Block {
  const nodes = block.forward.nodes.map((node) => {
    if (!targets(node)) return node;
    const target = follow(block, node.target, move) ?? node.target;
    const key = node.op === "choose" && typeof node.key === "string" && keyAfter(block, node, move, node.key);
    if (node.op === "choose" && key && key !== node.key) return { ...node, target, key };
    return target === node.target ? node : { ...node, target };
  });
  const members = block.members.flatMap((member): Member[] => {
    if (member.kind !== "alias") return [member];
    const of = follow(block, member.of, move);
    // `decoder.weight` is a place inside a member; a plain name is the alias's own.
    const name = member.name.includes(".") ? move(member.name) : member.name;
    if (of === null || name === null) return [];
    return of === member.of && name === member.name ? [member] : [{ ...member, of, name }];
  });
  return aliasesBehind({ ...block, members, forward: { ...block.forward, nodes } });
}

/** Aliases stand behind what they name, because only what was registered earlier can be named. */
function aliasesBehind(block: Block): Block {
  let members = block.members;
  for (const alias of block.members) {
    if (alias.kind !== "alias") continue;
    const heads = [alias.of, alias.name].map((path) => path.split(".")[0]);
    const last = members.findLastIndex((member) => member !== alias && heads.includes(member.name));
    const at = members.indexOf(alias);
    if (last > at)
      members = [...members.slice(0, at), ...members.slice(at + 1, last + 1), alias, ...members.slice(last + 1)];
  }
  return members === block.members ? block : { ...block, members };
}

/** Rearranges a block; its own nodes and aliases, paths of other blocks through it, and patterns follow. */
export function rearrange(doc: Doc, name: string, change: (block: Block) => Rearranged): Doc {
  const before = doc.blocks[name];
  if (!before) return doc;
  const { block, move } = change(before);
  if (block === before) return doc;
  const uses = usesOf(doc, name);
  const blocks = Object.entries(doc.blocks).map(([other, its]): [string, Block] => {
    if (other === name) return [name, retarget(block, move)];
    const prefixes = uses(other);
    return [other, prefixes.length > 0 ? retarget(its, within(prefixes, move)) : its];
  });
  const followed = Object.keys(doc.blocks).reduce(
    (now, other) =>
      changeParts(now, other, keyMoves(doc, now, other, other === name ? move : within(uses(other), move))),
    { ...doc, blocks: Object.fromEntries(blocks) },
  );
  const pattern = within(doc.main === name ? [[], ...uses(doc.main)] : uses(doc.main), move);
  return {
    ...followed,
    frozen: doc.frozen.flatMap((it) => pattern(it) ?? []),
    init: doc.init.flatMap((rule) => {
      const to = pattern(rule.name);
      return to === null ? [] : to === rule.name ? [rule] : [{ ...rule, name: to }];
    }),
  };
}

/** Choices of all items give a dict, whose keys are the names of the items. */
function keyMoves(before: Doc, after: Doc, name: string, move: Move): Map<string, MovePart> {
  const block = after.blocks[name];
  const moves = new Map<string, MovePart>();
  for (const node of before.blocks[name]?.forward.nodes ?? []) {
    if (!block || node.op !== "choose" || node.key !== null) continue;
    moves.set(node.id, ([key, ...rest]) => {
      if (key === undefined) return [];
      const to = keyAfter(block, node, move, String(key));
      return to === null ? null : [to, ...rest];
    });
  }
  return moves;
}

/** Paths to the uses of a block from inside another one, through any number of blocks. `*1` stands for a repeat's copies. */
function usesOf(doc: Doc, name: string): (block: string) => string[][] {
  const known = new Map<string, string[][]>();
  const find = (block: string): string[][] => {
    const found = known.get(block);
    if (found) return found;
    // Stands in for a block that contains itself, which no network may.
    known.set(block, []);
    const its = doc.blocks[block];
    const paths = (its ? walkMembers(its) : []).flatMap(({ path, member }) => {
      const it = bare(member);
      if (it.kind !== "block") return [];
      const here = path.split(".");
      return it.block === name ? [here] : find(it.block).map((rest) => [...here, ...rest]);
    });
    known.set(block, paths);
    return paths;
  };
  return find;
}

/** A move of paths inside a block as a move of paths that lead there. */
function within(prefixes: string[][], move: Move): Move {
  return (path) => {
    const parts = path.split(".");
    for (const prefix of prefixes) {
      const fits = prefix.every((name, index) => name.startsWith("*") || name === parts[index]);
      if (!fits || parts.length <= prefix.length) continue;
      const to = move(parts.slice(prefix.length).join("."));
      return to === null ? null : [...parts.slice(0, prefix.length), to].join(".");
    }
    return path;
  };
}

/** Patterns for all that a member of the outermost block holds, `features.*`, as patterns for each part of it. */
export function spellOut(doc: Doc, blockName: string, path: string, names: readonly string[]): Doc {
  if (blockName !== doc.main) return doc;
  const each = (pattern: string): string[] =>
    pattern === `${path}.*` ? names.map((name) => `${path}.${name}.*`) : [pattern];
  return { ...doc, frozen: doc.frozen.flatMap(each) };
}
