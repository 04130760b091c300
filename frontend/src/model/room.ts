/** Keeping nodes apart as boxes grow and nodes come between: what lies below moves down, or up again. */
import { BOX, boxOf, GAP, MOST_ROWS, NODE_HEIGHT, NODE_WIDTH, rows, TERMINAL } from "./geometry";
import { type Edge, edges, isUnplaced, nodeAt, OUTPUT, place, viewOf } from "./graph";
import type { Doc, Position } from "./types";

/** Height of what is drawn for a canvas id. */
export function heightOf(doc: Doc, block: string, id: string): number {
  const its = doc.blocks[block];
  const node = its && nodeAt(its.forward, id);
  if (!its || !node) return TERMINAL.height;
  const box = boxOf(its, viewOf(doc, block), node);
  if (!box) return NODE_HEIGHT;
  const more = box.items.length > MOST_ROWS ? BOX.row : 0;
  return rows(box.items, node.target, BOX.title + BOX.pad).bottom + more + BOX.footer;
}

/** Everything that begins at `from` or below moves by `delta`. */
export function shiftBelow(
  doc: Doc,
  block: string,
  from: number,
  delta: number,
  except: ReadonlySet<string> = new Set(),
): Doc {
  return shift(doc, block, delta, (id, at) => at.y >= from && !except.has(id));
}

function shift(doc: Doc, block: string, delta: number, moves: (id: string, at: Position) => boolean): Doc {
  if (delta === 0) return doc;
  const lower = Object.entries(viewOf(doc, block).positions).filter(([id, at]) => moves(id, at));
  return place(doc, block, Object.fromEntries(lower.map(([id, at]) => [id, { x: at.x, y: at.y + delta }])));
}

/** What a canvas id takes up from left to right. */
function spanOf(doc: Doc, block: string, id: string): { left: number; right: number } {
  const left = viewOf(doc, block).positions[id]?.x ?? 0;
  const node = nodeAt(doc.blocks[block]?.forward ?? { inputs: [], nodes: [], output: null }, id);
  return { left, right: left + (node ? NODE_WIDTH : TERMINAL.width) };
}

/** What stands in the same column: below a node, or below something that does, and at `from` or lower. */
function columnBelow(doc: Doc, block: string, top: string, from: number): Set<string> {
  const lower = Object.entries(viewOf(doc, block).positions)
    .filter(([id, at]) => id !== top && at.y >= from)
    .sort(([, a], [, b]) => a.y - b.y);
  const spans = [spanOf(doc, block, top)];
  const found = new Set<string>();
  for (const [id] of lower) {
    const span = spanOf(doc, block, id);
    if (!spans.some((it) => it.left < span.right && span.left < it.right)) continue;
    spans.push(span);
    found.add(id);
  }
  return found;
}

/** The later of two documents, with everything in the column below a box that changed its height moved along. */
export function reflowed(before: Doc, after: Doc, block: string): Doc {
  const old = viewOf(before, block).positions;
  let next = after;
  for (const [id, at] of Object.entries(viewOf(after, block).positions)) {
    const was = old[id];
    if (!was || was.y !== at.y) continue;
    const height = heightOf(before, block, id);
    const delta = heightOf(after, block, id) - height;
    if (delta === 0) continue;
    const column = columnBelow(next, block, id, at.y + height);
    next = shift(next, block, delta, (other) => column.has(other));
  }
  return next;
}

/** A node's place in the middle of an edge, and the document with room for it. */
export function makeRoom(doc: Doc, block: string, edge: Edge, id: string): Doc {
  const { positions } = viewOf(doc, block);
  const source = positions[edge.source];
  const target = positions[edge.target];
  if (!source || !target) return doc;
  const bottom = source.y + heightOf(doc, block, edge.source);
  const wanted = bottom + GAP + heightOf(doc, block, id) + GAP;
  const width = (it: string) => (it === OUTPUT || it.startsWith("input:") ? TERMINAL.width : NODE_WIDTH);
  const middle = (source.x + width(edge.source) / 2 + target.x + width(edge.target) / 2) / 2;
  const roomy =
    target.y >= wanted || target.y < bottom ? doc : shiftBelow(doc, block, target.y, wanted - target.y, new Set([id]));
  // Where the edge runs upwards or is long there is room already, and the node stays where it was put.
  if (target.y >= wanted + 2 * NODE_HEIGHT || target.y < bottom) return roomy;
  return place(roomy, block, { [id]: { x: Math.round(middle - NODE_WIDTH / 2), y: Math.round(bottom + GAP) } });
}

/**
 * A document with places for the nodes that an edit has put in front of others, where these have theirs: each stands where its reader stood, which
 * moves down with everything below; beside what else its reader reads, so that these connections stay visible.
 */
export function roomInFront(doc: Doc): Doc {
  let next = doc;
  for (const [block, { forward }] of Object.entries(doc.blocks)) {
    if (!isUnplaced(doc, block)) continue;
    const old = viewOf(doc, block).positions;
    for (const { id } of forward.nodes.filter((node) => !(node.id in old)).reverse()) {
      const { positions } = viewOf(next, block);
      const reader = edges(forward).find((edge) => edge.source === id)?.target;
      const at = reader === undefined ? undefined : positions[reader];
      if (reader === undefined || !at) continue;
      const beside = edges(forward).flatMap(({ source, target }) =>
        target === reader && source !== id && positions[source] ? [spanOf(next, block, source).right + GAP] : [],
      );
      const { left, right } = spanOf(next, block, reader);
      const x = beside.length > 0 ? Math.max(...beside) : Math.round((left + right - NODE_WIDTH) / 2);
      next = shiftBelow(next, block, at.y, heightOf(next, block, id) + GAP);
      next = place(next, block, { [id]: { x, y: at.y } });
    }
  }
  return next;
}

/** Places for nodes one below the other, beginning at a point. */
export function column(doc: Doc, block: string, ids: readonly string[], top: Position): { [id: string]: Position } {
  let y = top.y;
  return Object.fromEntries(
    ids.map((id) => {
      const at = { x: top.x, y };
      y += heightOf(doc, block, id) + GAP;
      return [id, at];
    }),
  );
}
