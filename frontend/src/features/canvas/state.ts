/** The canvas's own passing state: what a drag hovers over, and which small dialog is open. */
import { create } from "zustand";
import type { Arguments, Position } from "@/model/types";

export type DropTarget = { kind: "edge"; id: string } | { kind: "box"; node: string; path: string; index: number };

/** Where a quick-added layer goes, and what it is connected to. */
export type QuickAdd = {
  /** On the screen. */
  x: number;
  y: number;
  /** Opened by a key, so that the place was not chosen. */
  byKey?: boolean;
  from?: { node: string; handle: string; side: "source" | "target" };
};

/** What a help card is about: a name of the catalogue, and the arguments that it has where it stands. */
export type HelpCard = { name: string; arguments?: Arguments };

type CanvasState = {
  over: DropTarget | null;
  quick: QuickAdd | null;
  menu: { x: number; y: number; node: string | null } | null;
  /** A dialog that asks for more before a command runs. */
  dialog: "group" | "connect" | "palette" | "export" | "versions" | "shortcuts" | null;
  /** The entry of the catalogue whose help card is open. */
  help: HelpCard | null;
  /** Ends the automatic layout that is being computed. */
  arranging: AbortController | null;
  /** Where nodes are on their way to the places that the layout gave them. */
  gliding: ReadonlyMap<string, Position>;
  /** Last place of the pointer over the canvas, where a paste goes. */
  pointer: Position | null;
};

export const useCanvas = create<CanvasState>(() => ({
  over: null,
  quick: null,
  menu: null,
  dialog: null,
  help: null,
  arranging: null,
  gliding: new Map(),
  pointer: null,
}));

const sameTarget = (left: DropTarget | null, right: DropTarget | null): boolean =>
  JSON.stringify(left) === JSON.stringify(right);

export function hover(over: DropTarget | null): void {
  if (!sameTarget(useCanvas.getState().over, over)) useCanvas.setState({ over });
}

/** Puts a text into the clipboard where the page may, for commands that come without a clipboard event. */
export async function writeClipboard(text: string): Promise<void> {
  remembered = text;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without the permission, pasting within this page still works.
  }
}
export async function readClipboard(): Promise<string> {
  try {
    return (await navigator.clipboard.readText()) || remembered;
  } catch {
    return remembered;
  }
}
let remembered = "";
