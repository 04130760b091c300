/** Putting things where the pointer is: into a box, into an edge, or onto the canvas. */
import { edges, nodeAt, place } from "@/model/graph";
import { moveInto } from "@/model/group";
import type { StepName } from "@/model/history";
import { insertOnEdge } from "@/model/nodes";
import { portsOf } from "@/model/ports";
import { makeRoom, reflowed } from "@/model/room";
import { centredOn } from "@/model/spots";
import { apply, currentDoc } from "@/model/store";
import type { Block, Doc, Position } from "@/model/types";
import { select } from "@/model/view";
import { lookup } from "./catalogue";
import type { DropTarget } from "./state";
import { type Added, addThing, addThingTo, type Thing, thingItem } from "./things";

/** Whether this is part of what stands in front of the canvas: the overview, the tools. */
const onPanel = (element: Element | null | undefined): boolean => element?.closest(".react-flow__panel") != null;

/** Whether a thing can be dropped at a point of the screen. */
export function takesDrop(x: number, y: number): boolean {
  const element = document.elementFromPoint(x, y);
  return element?.closest("[data-testid=canvas]") != null && !onPanel(element);
}

/** What lies under a point of the screen that could take something in. `moving` is a node that is being dragged. */
export function targetAt(x: number, y: number, moving: string | null = null): DropTarget | null {
  const stack = document.elementsFromPoint(x, y);
  // What lies below the overview or the tools is not what anybody points at.
  if (onPanel(stack[0])) return null;
  for (const element of stack) {
    const box = element.closest<HTMLElement>("[data-box]");
    const node = box?.closest<HTMLElement>("[data-node-id]")?.dataset.nodeId;
    if (box?.dataset.box && node && node !== moving)
      return { kind: "box", node, path: box.dataset.box, index: indexIn(box, y) };
    const edge = element.closest(".react-flow__edge")?.getAttribute("data-id");
    if (edge) return { kind: "edge", id: edge };
  }
  return null;
}

/** Before which of the box's own rows a point lies. */
function indexIn(box: HTMLElement, y: number): number {
  const rows = [...box.querySelectorAll<HTMLElement>("[data-row-of]")].filter(
    (row) => row.dataset.rowOf === box.dataset.box,
  );
  const at = rows.findIndex((row) => {
    const { top, height } = row.getBoundingClientRect();
    return y < top + height / 2;
  });
  return at < 0 ? rows.length : at;
}

/** The node put into an edge, if it has something to take and something to give. */
export function spliced(doc: Doc, block: string, id: string, edgeId: string): Doc {
  const its = doc.blocks[block] as Block;
  const edge = edges(its.forward).find((it) => it.id === edgeId);
  const node = nodeAt(its.forward, id);
  if (!edge || !node || edge.source === id || edge.target === id) return doc;
  const { inputs, outputs } = portsOf(doc, its, node, lookup, []);
  const [input] = inputs;
  const [output] = outputs;
  if (!input || !output) return doc;
  return makeRoom(insertOnEdge(doc, block, edge, id, input, output.path), block, edge, id);
}

/** Whether a node stands alone, so that dropping it into an edge is meant as inserting it. */
export const isLoose = (doc: Doc, block: string, id: string): boolean =>
  !edges((doc.blocks[block] as Block).forward).some((edge) => edge.source === id || edge.target === id);

/** Moves of the same nodes in one gesture are one step. */
export const moveKey = (ids: readonly string[]): string => `move:${ids.toSorted().join()}`;

export type Dropped = "added" | "refused";

/** Drops a new thing at a target; on the canvas, the middle of its node comes to lie at a point. */
export function dropThing(
  block: string,
  thing: Thing,
  label: StepName,
  target: DropTarget | null,
  point: Position,
): Dropped {
  if (target?.kind === "box") {
    const { path, index } = target;
    if (!thingItem(thing)) return "refused";
    apply(label, (doc) => addThingTo(doc, block, path, thing, index) ?? doc);
    select([target.node]);
    return "added";
  }
  let added: Added | null = null;
  apply(label, (doc) => {
    added = addThing(doc, block, thing, point);
    const { id } = added;
    const put = place(added.doc, block, { [id]: centredOn(added.doc, block, id, point, lookup) });
    return target?.kind === "edge" ? spliced(put, block, id, target.id) : put;
  });
  if (added) select([(added as Added).id]);
  return "added";
}

/** Drops a node that was dragged: into a box or an edge it becomes part of it. True when it did. */
export function dropNode(block: string, id: string, target: DropTarget | null, label: StepName): boolean {
  const before = currentDoc();
  if (target?.kind === "box") {
    apply(label, (doc) => reflowed(doc, moveInto(doc, block, id, target.path, target.index), block), moveKey([id]));
    if (currentDoc() !== before) select([target.node]);
  }
  if (target?.kind === "edge" && isLoose(before, block, id))
    apply(label, (doc) => spliced(doc, block, id, target.id), moveKey([id]));
  return currentDoc() !== before;
}
