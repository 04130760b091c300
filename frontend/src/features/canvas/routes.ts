/** Ways of long connections around the nodes that stand between their ends, so that a skip stays visible. */
import type { FlowEdge, FlowNode } from "./flow";

/** Connections between neighbours pass nothing: below this height nobody looks, in canvas pixels. */
const NEAR = 96;
/** Between a connection and the nodes that it passes, beside half the width of its label. */
const MARGIN = 10;
/** Between two connections that take the same way. */
const PITCH = 14;
/** Beyond this many nodes a drawing is read from afar, and looking for ways costs more than it shows. */
const MANY = 1_000;
/** Sideways steps away from nodes that stand in the way of a way. */
const TRIES = 8;

type Span = { left: number; right: number; top: number; bottom: number; id: string };

/** The same connections, with the vertical line (`lane`, an x on the canvas) that those follow which would pass behind a node. */
export function routed(
  nodes: readonly FlowNode[],
  edges: readonly FlowEdge[],
  widthOf: (label: string) => number,
): FlowEdge[] {
  if (nodes.length > MANY) return [...edges];
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const spans = nodes.map(
    ({ id, position, data }): Span => ({
      id,
      left: position.x,
      right: position.x + data.size.width,
      top: position.y,
      bottom: position.y + data.size.height,
    }),
  );
  const taken: { lane: number; top: number; bottom: number }[] = [];
  return edges.map((edge) => {
    const from = endOf(byId.get(edge.source), edge.sourceHandle);
    const to = endOf(byId.get(edge.target), edge.targetHandle);
    if (!from || !to || to.y - from.y < NEAR) return edge;
    const between = spans.filter(
      (span) => span.id !== edge.source && span.id !== edge.target && span.bottom > from.y && span.top < to.y,
    );
    const lane = laneOf(from.x, to.x, between, widthOf(edge.data?.label ?? "") / 2 + MARGIN);
    if (lane === null || !edge.data) return edge;
    const side = Math.sign(lane - (from.x + to.x) / 2) || 1;
    let free = lane;
    while (taken.some((it) => Math.abs(it.lane - free) < PITCH && it.top < to.y && it.bottom > from.y))
      free += side * PITCH;
    taken.push({ lane: free, top: from.y, bottom: to.y });
    return { ...edge, data: { ...edge.data, lane: Math.round(free) } };
  });
}

/** Where a handle is on the canvas. */
export function endOf(node: FlowNode | undefined, handle: string | null | undefined): { x: number; y: number } | null {
  const port = node?.handles?.find((it) => it.id === handle);
  if (!node || !port) return null;
  return { x: node.position.x + port.x + (port.width ?? 0) / 2, y: node.position.y + port.y };
}

/** The nearest free line beside what stands between two ends; null where nothing does. */
function laneOf(from: number, to: number, between: readonly Span[], margin: number): number | null {
  const [low, high] = [Math.min(from, to), Math.max(from, to)];
  const inTheWay = between.filter((span) => span.right > low - MARGIN && span.left < high + MARGIN);
  if (inTheWay.length === 0) return null;
  const left = beside(Math.min(...inTheWay.map((span) => span.left)) - margin, -1, between, margin);
  const right = beside(Math.max(...inTheWay.map((span) => span.right)) + margin, 1, between, margin);
  const detour = (lane: number) => Math.abs(lane - from) + Math.abs(lane - to);
  return detour(left) <= detour(right) ? left : right;
}

/** The first line from here outwards that no node touches. */
function beside(start: number, side: -1 | 1, between: readonly Span[], margin: number): number {
  let lane = start;
  for (let tries = 0; tries < TRIES; tries++) {
    const hit = between.find((span) => span.right > lane - MARGIN && span.left < lane + MARGIN);
    if (!hit) break;
    lane = side < 0 ? hit.left - margin : hit.right + margin;
  }
  return lane;
}

/** From a node to where its connection runs along a lane, in canvas pixels. */
export const BEND = 44;

/** The path from one end to the other along a lane, as SVG has it. */
export function alongLane(fromX: number, fromY: number, toX: number, toY: number, lane: number): string {
  const bend = Math.min(BEND, (toY - fromY) / 2);
  return (
    `M${fromX},${fromY} C${fromX},${fromY + bend * 0.7} ${lane},${fromY + bend * 0.3} ${lane},${fromY + bend}` +
    ` L${lane},${toY - bend} C${lane},${toY - bend * 0.3} ${toX},${toY - bend * 0.7} ${toX},${toY}`
  );
}
