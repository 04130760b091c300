/** The open document and its history. `apply` is the only writer. */
import { create } from "zustand";
import { isUnplaced, placeKnown } from "./graph";
import { applied, begin, everywhere, type History, redone, type StepName, settled, undone } from "./history";
import { emptyDocument } from "./normalise";
import { roomInFront } from "./room";
import type { Doc, Position } from "./types";

type DocumentStore = {
  history: History;
  /** Rises with every document that is opened: what belongs to another document can be told apart. */
  opened: number;
  /** False until the first document arrived; nothing is saved before. */
  loaded: boolean;
  /** One step under a name. Steps in a row with the same merge key become one; an unchanged document makes none. */
  apply: (label: StepName, recipe: (doc: Doc) => Doc, mergeKey?: string) => void;
  /** Ends a gesture, so that the next step stands by itself. */
  settle: () => void;
  undo: () => void;
  redo: () => void;
  /** Replaces the document and forgets its history. */
  open: (doc: Doc) => void;
};

export const useDocument = create<DocumentStore>((set) => ({
  history: begin(emptyDocument("")),
  opened: 0,
  loaded: false,
  apply: (label, recipe, mergeKey) =>
    set((state) => {
      const history = applied(state.history, label, recipe(state.history.doc), mergeKey ?? null);
      return history === state.history ? state : { history };
    }),
  settle: () => set((state) => ({ history: settled(state.history) })),
  undo: () => set((state) => ({ history: undone(state.history) })),
  redo: () => set((state) => ({ history: redone(state.history) })),
  open: (doc) => set((state) => ({ history: begin(doc), opened: state.opened + 1, loaded: true })),
}));

export const useDoc = (): Doc => useDocument((state) => state.history.doc);
export const currentDoc = (): Doc => useDocument.getState().history.doc;
export const apply: DocumentStore["apply"] = (label, recipe, mergeKey) =>
  useDocument.getState().apply(label, recipe, mergeKey);

/** Draws what was never drawn, and what a mend has added since the layout began. That is no step of the user's, and undoing one must not take it back. */
export function placeSilently(block: string, positions: { [id: string]: Position }): void {
  const draw = (doc: Doc) => (isUnplaced(doc, block) ? roomInFront(placeKnown(doc, block, positions)) : doc);
  useDocument.setState(({ history }) => ({ history: everywhere(history, draw) }));
}
