import { useEffect } from "react";
import { useDocument } from "@/model/store";
import { keepDraft, save } from "./project";
import { useProject } from "./store";

const DRAFT_MS = 250;
const SAVE_MS = 900;
const RETRY_MS = 10_000;

/** Follows the document: a draft in this browser at once, a revision at the service when typing pauses. */
export function useAutosave(): void {
  useEffect(() => {
    let draft: ReturnType<typeof setTimeout> | undefined;
    let remote: ReturnType<typeof setTimeout> | undefined;
    const soon = (delay: number) => {
      clearTimeout(remote);
      remote = setTimeout(() => void save(), delay);
    };
    const retry = () => {
      clearTimeout(remote);
      remote = setTimeout(() => {
        if (useProject.getState().saved === "failed") useProject.setState({ saved: "unsaved" });
        void save();
      }, RETRY_MS);
    };
    const stop = useDocument.subscribe((state, before) => {
      if (state.opened !== before.opened || !state.loaded) return;
      if (state.history.doc === before.history.doc) return;
      // What only the layout did when it was first drawn is no change of the user's.
      const touched = state.history.past.length + state.history.future.length > 0;
      if (!touched) return;
      const { saved } = useProject.getState();
      if (saved === "saved" || saved === "failed") useProject.setState({ saved: "unsaved" });
      clearTimeout(draft);
      draft = setTimeout(keepDraft, DRAFT_MS);
      soon(SAVE_MS);
    });
    const stopProject = useProject.subscribe((state, before) => {
      if (state.saved === before.saved) return;
      if (state.saved === "unsaved") soon(SAVE_MS);
      if (state.saved === "failed") retry();
    });
    if (useProject.getState().saved === "unsaved") soon(SAVE_MS);
    const flush = () => keepDraft();
    window.addEventListener("pagehide", flush);
    return () => {
      stop();
      stopProject();
      window.removeEventListener("pagehide", flush);
      clearTimeout(draft);
      clearTimeout(remote);
      keepDraft();
      void save();
    };
  }, []);
}
