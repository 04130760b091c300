/** Sizes on the canvas, as a function of the document: nothing is measured, so thousands of nodes cost nothing to place. */
import { NEW_OUTPUT, viewOf } from "./graph";
import { bare, isContainer, itemName, join, resolve } from "./members";
import type { InPort, Ports } from "./ports";
import type { Block, BlockView, Doc, GraphNode, Item, Member, Position } from "./types";

export type Size = { width: number; height: number };
export const NODE_WIDTH = 228;
export const NODE_HEIGHT = 72;
export const TERMINAL: Size = { width: 168, height: 44 };
/** Between one node and the next; room for the shape on the edge. */
export const GAP = 48;
export const HANDLE = 10;
const PORT_PITCH = 56;
/** The same where a condition is written over a port. */
const CASE_PITCH = 76;
const across = (ports: readonly InPort[]): number =>
  ports.some((port) => port.on) ? (ports.length + 1) * CASE_PITCH : ports.length * PORT_PITCH;

export const BOX = { title: 34, row: 34, gap: 4, pad: 8, footer: 30, indent: 8, nestedTitle: 26 };
/** Longer containers are cut here, and say how many items are left. */
export const MOST_ROWS = 24;

/** A line of a container's box. */
export type Row = {
  path: string;
  item: Item;
  depth: number;
  y: number;
  height: number;
  /** For nested containers: everything inside, title included. */
  extent: number;
};

/** The lines of a container's box, top to bottom, with nested containers opened; and where they end. */
export function rows(items: readonly Item[], path: string, top: number, depth = 0): { rows: Row[]; bottom: number } {
  const out: Row[] = [];
  let y = top;
  for (const [index, item] of items.slice(0, MOST_ROWS).entries()) {
    const inner = bare(item);
    const itemPath = join(path, itemName(item, index));
    if (isContainer(inner) && depth < 3 && inner.items.length > 0) {
      const inside = rows(inner.items, itemPath, y + BOX.nestedTitle, depth + 1);
      const extent = inside.bottom - y + BOX.gap;
      out.push({ path: itemPath, item, depth, y, height: BOX.nestedTitle, extent }, ...inside.rows);
      y += extent + BOX.gap;
    } else {
      out.push({ path: itemPath, item, depth, y, height: BOX.row, extent: BOX.row });
      y += BOX.row + BOX.gap;
    }
  }
  return { rows: out, bottom: y };
}

/** The container that a node shows as a box, unless it is folded. */
export function boxOf(block: Block, view: BlockView, node: GraphNode): Extract<Member, { items: unknown }> | null {
  if (node.op === "function" || node.op === "get") return null;
  const member = resolve(block, node.target);
  const container = member && bare(member);
  return isContainer(container) && !view.collapsed.includes(node.id) ? container : null;
}

export function nodeSize(block: Block, view: BlockView, node: GraphNode, ports: Ports): Size {
  const width = Math.max(NODE_WIDTH, across(ports.inputs), ports.outputs.length * PORT_PITCH);
  const box = boxOf(block, view, node);
  if (!box) return { width, height: NODE_HEIGHT };
  const more = box.items.length > MOST_ROWS ? BOX.row : 0;
  const height = rows(box.items, node.target, BOX.title + BOX.pad).bottom + more + BOX.footer;
  return { width: Math.max(width, NODE_WIDTH + 24), height };
}

export const terminalSize = (inputs: readonly InPort[]): Size => ({
  width: Math.max(TERMINAL.width, across(inputs)),
  height: TERMINAL.height,
});

/** The middle of the n-th handle along a side. A port that only adds others stands at the end, out of their way. */
export function handleX(width: number, index: number, ports: readonly { name: string }[]): number {
  const extra = ports.at(-1)?.name === NEW_OUTPUT ? 1 : 0;
  const count = ports.length - extra;
  return index < count ? (width * (index + 1)) / (count + 1) : width - HANDLE * 2.4;
}

/** Somewhere free near a wished place: one step down and right for as long as another node stands there. */
export function freeSpot(doc: Doc, block: string, wished: Position): Position {
  const places = Object.values(viewOf(doc, block).positions);
  let at = { x: Math.round(wished.x), y: Math.round(wished.y) };
  while (places.some((it) => Math.abs(it.x - at.x) < 16 && Math.abs(it.y - at.y) < 16))
    at = { x: at.x + 24, y: at.y + 24 };
  return at;
}
