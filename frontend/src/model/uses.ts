/** Where a block is used: every node that calls it, wherever it is, and every member that is an instance of it. */
import { changeGraph, changeRefs } from "./graph";
import { bare, isContainer, memberAt, real } from "./members";
import type { Arguments, Block, Doc, GraphNode, Item, Member, Path } from "./types";
import { ref, refsIn, resultPath } from "./values";

/** The member at a path, behind aliases and inside other blocks. */
function memberIn(doc: Doc, block: string, path: string): Member | Item | null {
  const its = doc.blocks[block];
  if (!its) return null;
  const names = real(its, path).split(".");
  for (let count = names.length; count > 0; count--) {
    const member = memberAt(its, names.slice(0, count).join("."));
    const it = member && bare(member);
    if (count === names.length && it) return it;
    if (it?.kind === "block") return memberIn(doc, it.block, names.slice(count).join("."));
  }
  return null;
}

/** Whether a node calls a block: by itself, or all items of a container that are instances of it. */
function calls(doc: Doc, block: string, node: GraphNode, name: string): boolean {
  if (node.op === "function" || node.op === "get") return false;
  const member = memberIn(doc, block, node.target);
  const isUse = (it: Member | Item) => it.kind === "block" && it.block === name;
  if (node.op === "call" && member) return isUse(member);
  return isContainer(member) && member.items.length > 0 && member.items.every((item) => isUse(bare(item)));
}

type Calling = Exclude<GraphNode, { op: "get" | "function" }>;
function callsIn(doc: Doc, block: string, name: string): Calling[] {
  const nodes = doc.blocks[block]?.forward.nodes ?? [];
  return nodes.filter((node): node is Calling => calls(doc, block, node, name));
}

function changeBlocks(doc: Doc, change: (name: string, block: Block) => Block): Doc {
  const blocks = Object.entries(doc.blocks).map(([name, block]): [string, Block] => [name, change(name, block)]);
  return { ...doc, blocks: Object.fromEntries(blocks) };
}

/** Changes what a block is given wherever it is called. The value that a loop carries is its `input` and stays so. */
export function changeCalls(doc: Doc, name: string, change: (args: Arguments) => Arguments): Doc {
  return changeBlocks(doc, (other, block) => {
    const found = new Set<GraphNode>(callsIn(doc, other, name));
    if (found.size === 0) return block;
    const nodes = block.forward.nodes.map((node) => {
      if (!found.has(node) || node.op === "get") return node;
      const { input, ...others } = node.arguments;
      const carried = node.op === "loop" && input !== undefined;
      return { ...node, arguments: carried ? { input, ...change(others) } : change(node.arguments) };
    });
    return { ...block, forward: { ...block.forward, nodes } };
  });
}

/** Where a part of a result goes; null for what is no longer there. */
export type MovePart = (path: Path) => Path | null;

/** Changes which part of a block's result is taken wherever it is called; null takes the reference away. */
export function changeResults(doc: Doc, name: string, move: MovePart): Doc {
  return Object.keys(doc.blocks).reduce((now, other) => {
    const moves = callsIn(now, other, name).map((node): [string, MovePart] => [
      node.id,
      // A choice of all items is a dict, whose keys come first.
      node.op === "choose" && node.key === null ? behindKey(move) : move,
    ]);
    return changeParts(now, other, new Map(moves));
  }, doc);
}

const behindKey =
  (move: MovePart): MovePart =>
  ([key, ...rest]) => {
    if (key === undefined) return [];
    const to = move(rest);
    return to && [key, ...to];
  };

/** Changes which parts of nodes' results are taken: inside their block, and by whoever calls it and gets them. */
export function changeParts(doc: Doc, block: string, moves: ReadonlyMap<string, MovePart>): Doc {
  const graph = doc.blocks[block]?.forward;
  if (!graph || moves.size === 0) return doc;
  const changed = changeGraph(doc, block, (it) =>
    changeRefs(it, (from) => {
      const to = (moves.get(from.$ref) ?? same)(from.path);
      return to === null ? undefined : ref(from.$ref, to);
    }),
  );
  const passed = refsIn(graph.output)
    .filter(({ ref: from }) => moves.has(from.$ref))
    .map(({ ref: from, at }) => ({ ref: from, at: resultPath(graph.output, at) }));
  if (passed.length === 0) return changed;
  return changeResults(changed, block, (path) => {
    const part = passed.find(({ at }) => at.every((step, index) => path[index] === step));
    const move = part && moves.get(part.ref.$ref);
    const whole = part && move?.(part.ref.path);
    if (!part || !whole) return path;
    const to = move?.([...part.ref.path, ...path.slice(part.at.length)]);
    return to ? [...part.at, ...to.slice(whole.length)] : null;
  });
}

const same: MovePart = (path) => path;
