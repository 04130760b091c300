/** Members that several nodes call, blocks that several members use, and giving one of them something of its own. */

import { updateMember } from "./edit";
import { changeView, nextId, nodeAt, viewOf } from "./graph";
import { bare, freshName, memberAt, memberLabel, real, walkMembers } from "./members";
import { unique } from "./names";
import { addNode } from "./nodes";
import type { Arguments, Block, BlockUse, Doc, GraphNode, Item, Member } from "./types";
import { refsIn } from "./values";

type Calling = Extract<GraphNode, { op: "call" | "loop" | "choose" }>;
const isCalling = (node: GraphNode | undefined): node is Calling =>
  node?.op === "call" || node?.op === "loop" || node?.op === "choose";

const known = new WeakMap<Block, ReadonlyMap<string, string[]>>();

/** Ids of the nodes that call each member, by its real path. */
export function callers(block: Block): ReadonlyMap<string, string[]> {
  const found = known.get(block) ?? findCallers(block);
  known.set(block, found);
  return found;
}

function findCallers(block: Block): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const node of block.forward.nodes) {
    if (!isCalling(node)) continue;
    const path = real(block, node.target);
    found.set(path, [...(found.get(path) ?? []), node.id]);
  }
  return found;
}

export const callersOf = (block: Block, path: string): string[] => callers(block).get(real(block, path)) ?? [];

/** What a call takes beside data. */
const optionsOf = (args: Arguments): Arguments =>
  Object.fromEntries(Object.entries(args).filter(([, value]) => refsIn(value).length === 0));

/** One more node that calls what a node calls, with the same weights. Its place is the caller's to choose. */
export function callAgain(doc: Doc, blockName: string, id: string): { doc: Doc; id: string } | null {
  const block = doc.blocks[blockName];
  const node = block && nodeAt(block.forward, id);
  if (!block || !isCalling(node)) return null;
  const again = nextId(block.forward);
  const view = viewOf(doc, blockName);
  const added = addNode(
    doc,
    blockName,
    { ...node, id: again, name: null, arguments: optionsOf(node.arguments) },
    view.positions[id] ?? { x: 0, y: 0 },
  );
  if (!view.collapsed.includes(id)) return { doc: added, id: again };
  const folded = changeView(added, blockName, (it) => ({ ...it, collapsed: [...it.collapsed, again] }));
  return { doc: folded, id: again };
}

/** Gives a node a copy of the member that it shares with others, under a name of its own. */
export function ownMember(doc: Doc, blockName: string, id: string): Doc {
  const block = doc.blocks[blockName];
  const node = block && nodeAt(block.forward, id);
  if (!block || !isCalling(node) || callersOf(block, node.target).length < 2) return doc;
  const path = real(block, node.target);
  const shared = memberAt(block, path);
  if (!shared) return doc;
  const copy = { ...bare(shared), name: freshName(block, memberLabel(shared)) } as Member;
  const at = block.members.findIndex((member) => member.name === path.split(".")[0]);
  const members = [...block.members.slice(0, at + 1), copy, ...block.members.slice(at + 1)];
  const nodes = block.forward.nodes.map((it) => (it === node ? { ...node, target: copy.name } : it));
  const changed: Block = { ...block, members, forward: { ...block.forward, nodes } };
  return { ...doc, blocks: { ...doc.blocks, [blockName]: changed } };
}

/** How many members are instances of a block, wherever they are. What is repeated counts once. */
export function usesOf(doc: Doc, name: string): number {
  const isUse = (it: Member | Item) => it.kind === "block" && it.block === name;
  return Object.values(doc.blocks).flatMap((block) => walkMembers(block).filter(({ member }) => isUse(bare(member))))
    .length;
}

/** Gives one instance of a block a class of its own: a copy under a new name, drawn alike. */
export function ownClass(doc: Doc, blockName: string, path: string): { doc: Doc; name: string } | null {
  const block = doc.blocks[blockName];
  const found = block && memberAt(block, real(block, path));
  const use = found && bare(found);
  const made = use?.kind === "block" ? doc.blocks[use.block] : undefined;
  if (!block || use?.kind !== "block" || !made || usesOf(doc, use.block) < 2) return null;
  const name = unique(use.block, new Set(Object.keys(doc.blocks)));
  const copied = {
    ...doc,
    blocks: { ...doc.blocks, [name]: made },
    ui: { blocks: { ...doc.ui.blocks, [name]: viewOf(doc, use.block) } },
  };
  const own = updateMember(copied, blockName, real(block, path), (it) => ({ ...(it as BlockUse), block: name }));
  return { doc: own, name };
}
