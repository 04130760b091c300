import { useText } from "@/i18n";
import { emptyDocument } from "@/model/normalise";
import { openCopy } from "./project";
import { useLeave } from "./useLeave";

/** Begins an empty network, once what is open is safe. */
export function useNewNetwork(): () => void {
  const t = useText().editor.project;
  const leave = useLeave();
  return () => void leave(() => openCopy(emptyDocument(t.untitled)));
}
