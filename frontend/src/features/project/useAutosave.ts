import { useEffect } from "react";
import { text } from "@/i18n";
import { useDocument } from "@/model/store";
import { toast } from "@/ui/Toasts";
import { keepDraft } from "./project";
import { save } from "./save";
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
      if (before.kept && !state.kept) warnOfRoom();
      if (state.saved === before.saved) return;
      if (state.saved === "unsaved") soon(SAVE_MS);
      if (state.saved === "failed") soon(RETRY_MS);
    });
    // What failed while nobody looked, or while the session had expired, is tried again.
    const { saved: found } = useProject.getState();
    if (found === "unsaved" || found === "failed") soon(SAVE_MS);
    const flush = () => keepDraft();
    const online = () => soon(0);
    const unload = (event: BeforeUnloadEvent) => {
      if (!useProject.getState().kept) event.preventDefault();
    };
    window.addEventListener("beforeunload", unload);
    window.addEventListener("pagehide", flush);
    window.addEventListener("online", online);
    return () => {
      stop();
      stopProject();
      window.removeEventListener("beforeunload", unload);
      window.removeEventListener("pagehide", flush);
      window.removeEventListener("online", online);
      clearTimeout(draft);
      clearTimeout(remote);
      keepDraft();
      void save();
    };
  }, []);
}

function warnOfRoom(): void {
  const t = text().editor.project;
  toast(t.noRoom, t.noRoomHint);
}
