/** What is folded when a large network is opened, so that its outline can be seen. */
import { viewOf } from "./graph";
import { bare, isContainer, resolve } from "./members";
import type { Block, Doc } from "./types";

/** Rows of a box that are still taken in at a glance. */
const MANY = 8;

/** The document with every container of more rows than that folded. Nothing else changes, and no step is made of it. */
export function foldLarge(doc: Doc): Doc {
  const blocks = Object.entries(doc.blocks).flatMap(([name, block]) => {
    const large = largeIn(block);
    if (large.length === 0) return [];
    const view = viewOf(doc, name);
    const collapsed = [...new Set([...view.collapsed, ...large])];
    return [[name, { positions: { ...view.positions }, collapsed }] as const];
  });
  return { ...doc, ui: { ...doc.ui, blocks: { ...doc.ui.blocks, ...Object.fromEntries(blocks) } } };
}

/** The nodes that call such a container. */
function largeIn(block: Block): string[] {
  return block.forward.nodes.flatMap((node) => {
    const member = node.op === "call" ? resolve(block, node.target) : undefined;
    const called = member && bare(member);
    return isContainer(called) && called.items.length > MANY ? [node.id] : [];
  });
}
