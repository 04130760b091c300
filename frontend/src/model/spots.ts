/** Free places on the canvas, by the sizes at which nodes are drawn. */
import { GAP, nodeSize, type Size, terminalSize } from "./geometry";
import { canvasIds, nodeAt, OUTPUT, place, viewOf } from "./graph";
import { type Lookup, outputInPorts, portsOf, usedPaths } from "./ports";
import type { Doc, Position } from "./types";

type Rect = Position & Size;

/** Between nodes that are only meant not to touch. */
const CLEAR = 24;
/** Between the places that are tried, in canvas pixels. */
const STEP = 24;
/** Where nothing is in the way. */
const FAR = 1e6;
/** So many steps away a place is taken as it is. */
const FARTHEST = 120;

/** The size of what is drawn for a canvas id. */
export function sizeOf(doc: Doc, block: string, id: string, lookup: Lookup): Size {
  const its = doc.blocks[block];
  const node = its && nodeAt(its.forward, id);
  if (its && node) {
    const ports = portsOf(doc, its, node, lookup, usedPaths(its).get(id) ?? []);
    return nodeSize(its, viewOf(doc, block), node, ports);
  }
  return terminalSize(its && id === OUTPUT ? outputInPorts(its.forward.output) : []);
}

/** The top left corner of what is drawn with its middle at a point. */
export function centredOn(doc: Doc, block: string, id: string, point: Position, lookup: Lookup): Position {
  const { width, height } = sizeOf(doc, block, id, lookup);
  return { x: Math.round(point.x - width / 2), y: Math.round(point.y - height / 2) };
}

function rectsBeside(doc: Doc, block: string, id: string, lookup: Lookup): Rect[] {
  const { positions } = viewOf(doc, block);
  return canvasIds(doc, block).flatMap((other) => {
    const at = positions[other];
    return at && other !== id ? [{ ...at, ...sizeOf(doc, block, other, lookup) }] : [];
  });
}

const touches = (a: Rect, b: Rect): boolean =>
  a.x < b.x + b.width + CLEAR &&
  b.x < a.x + a.width + CLEAR &&
  a.y < b.y + b.height + CLEAR &&
  b.y < a.y + a.height + CLEAR;

/** The place nearest to a wished one where a node touches no other; never above it, where `below` is asked for. */
export function freePlace(
  doc: Doc,
  block: string,
  id: string,
  wished: Position,
  lookup: Lookup,
  below = false,
): Position {
  const size = sizeOf(doc, block, id, lookup);
  const others = rectsBeside(doc, block, id, lookup);
  const start = { x: Math.round(wished.x), y: Math.round(wished.y) };
  const free = (at: Position) => others.every((other) => !touches({ ...at, ...size }, other));
  for (let ring = 0; ring < FARTHEST; ring++) {
    const found = ringAround(start, ring, below).find(free);
    if (found) return found;
  }
  return start;
}

/** Places at a distance, those straight to the right and below first. */
function ringAround({ x, y }: Position, ring: number, below: boolean): Position[] {
  const reach = Array.from({ length: ring + 1 }, (_, index) => index * STEP);
  const far = ring * STEP;
  const sides = reach.flatMap((near): Position[] => [
    { x: x + far, y: y + near },
    { x: x - far, y: y + near },
    { x: x + near, y: y + far },
    { x: x - near, y: y + far },
    ...(below
      ? []
      : [
          { x: x + far, y: y - near },
          { x: x - far, y: y - near },
          { x: x + near, y: y - far },
          { x: x - near, y: y - far },
        ]),
  ]);
  return ring === 0 ? [{ x, y }] : sides;
}

/** The document with a node in a free place below another one, in line with it. The output gives way to it. */
export function putBelow(doc: Doc, block: string, id: string, above: string, lookup: Lookup): Doc {
  const at = viewOf(doc, block).positions[above];
  if (!at) return doc;
  const over = sizeOf(doc, block, above, lookup);
  const { width, height } = sizeOf(doc, block, id, lookup);
  const wished = { x: Math.round(at.x + (over.width - width) / 2), y: at.y + over.height + GAP };
  const aside = place(doc, block, { [OUTPUT]: { x: wished.x, y: -FAR } });
  const found = freePlace(aside, block, id, wished, lookup, true);
  const put = place(doc, block, { [id]: found });
  const out = viewOf(doc, block).positions[OUTPUT];
  if (!out || !touches({ ...out, ...sizeOf(doc, block, OUTPUT, lookup) }, { ...found, width, height })) return put;
  return place(put, block, {
    [OUTPUT]: freePlace(put, block, OUTPUT, { x: out.x, y: found.y + height + GAP }, lookup, true),
  });
}
