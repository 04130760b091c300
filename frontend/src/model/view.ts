/** What is selected and shown: never part of the document, never undone. */
import { create } from "zustand";
import type { Place } from "./report";
import type { Doc } from "./types";

export type BottomTab = "problems" | "code" | "shapes" | "rules" | "lab";

type View = {
  /** From the outermost block to the one that is shown. */
  trail: readonly Place[];
  /** Canvas ids of nodes and inputs. */
  selection: ReadonlySet<string>;
  edges: ReadonlySet<string>;
  /** An item inside a container's box, by its path; the node of the box is then the selection. */
  item: string | null;
  /** Canvas ids that something beside the canvas points at while the pointer is on it. */
  hinted: ReadonlySet<string>;
  tab: BottomTab;
  bottomOpen: boolean;
  /** Asks the canvas to bring a node into view; the number makes each request a new one. */
  focus: { id: string; request: number } | null;
};

export const useView = create<View>(() => ({
  trail: [],
  selection: new Set(),
  edges: new Set(),
  item: null,
  hinted: new Set(),
  tab: "problems",
  bottomOpen: false,
  focus: null,
}));

const NONE: ReadonlySet<string> = new Set();

export const select = (ids: Iterable<string>, item: string | null = null): void =>
  useView.setState({ selection: new Set(ids), edges: NONE, item });
export const selectItem = (node: string, path: string): void => select([node], path);
export const hint = (ids: Iterable<string>): void => useView.setState({ hinted: new Set(ids) });
export const clearSelection = (): void => useView.setState({ selection: NONE, edges: NONE, item: null });

/** Goes to the outermost block of a document that was just opened. */
export const enterMain = (doc: Doc): void =>
  useView.setState({ trail: [{ block: doc.main, instance: "" }], selection: NONE, edges: NONE, item: null });

export const openBlock = (place: Place): void =>
  useView.setState((state) => ({ trail: [...state.trail, place], selection: NONE, edges: NONE, item: null }));
export const goUp = (depth: number): void =>
  useView.setState((state) => ({ trail: state.trail.slice(0, depth + 1), selection: NONE, edges: NONE, item: null }));

/** The block that is shown; a document whose block has gone is shown from its outermost one. */
export function placeIn(trail: readonly Place[], doc: Doc): Place {
  const last = trail.at(-1);
  return last && doc.blocks[last.block] ? last : { block: doc.main, instance: "" };
}

let requests = 0;
export function focusNode(id: string): void {
  requests += 1;
  select([id]);
  useView.setState({ focus: { id, request: requests } });
}
