/** What the commands of the editor work on: the canvas, and what is selected on it. */
import { inputName, nodeAt, OUTPUT } from "@/model/graph";
import { currentDoc } from "@/model/store";
import type { Block, Doc, Position } from "@/model/types";
import { placeIn, useView } from "@/model/view";

/** What only the canvas can do; set while it is mounted. */
export type CanvasActions = {
  fit: () => void;
  zoomToSelection: () => void;
  /** Of some nodes, or of all. */
  layout: (ids?: readonly string[]) => Promise<void>;
  /** Where on the canvas a point of the screen lies; without one, the middle of what is shown. */
  pointAt: (screen: Position | null) => Position;
  /** Moves the view as far as it takes to see a node whole. */
  reveal: (id: string) => void;
  /** Opens the search at the pointer, or in the middle. */
  quickAdd: () => void;
};
let canvas: CanvasActions | null = null;
/** What the canvas can do while it is there. */
export const canvasActions = (): CanvasActions | null => canvas;
export const setCanvasActions = (actions: CanvasActions | null): void => {
  canvas = actions;
};

/** Where on the canvas a point of the screen lies; without one, the middle of what is shown. */
export const pointAt = (screen: Position | null): Position => canvas?.pointAt(screen) ?? { x: 0, y: 0 };
export const reveal = (id: string): void => canvas?.reveal(id);

type Here = { doc: Doc; block: string; its: Block; ids: string[]; nodeIds: string[] };
/** The document, block and selection that a command works on. */
export function here(): Here {
  const doc = currentDoc();
  const { block } = placeIn(useView.getState().trail, doc);
  const its = doc.blocks[block] as Block;
  const known = (id: string) =>
    nodeAt(its.forward, id) !== undefined || its.forward.inputs.some((input) => input.name === inputName(id));
  const ids = [...useView.getState().selection].filter((id) => known(id) || id === OUTPUT);
  return { doc, block, its, ids, nodeIds: ids.filter((id) => nodeAt(its.forward, id) !== undefined) };
}

/** The member that the selection stands for: the item of a box, or what the one selected node calls. */
export function selectedMember(): string | null {
  const { its, nodeIds } = here();
  const { item } = useView.getState();
  if (item) return item;
  const node = nodeIds.length === 1 ? nodeAt(its.forward, nodeIds[0] as string) : undefined;
  return node && node.op !== "function" ? node.target : null;
}
