import { useText } from "@/i18n";
import { toast, useErrorToast } from "@/ui/Toasts";
import { saveToLeave } from "./save";

/**
 * Goes on to another document once this one is safe. Where the service does not take it, it stays in this browser and
 * is found under Open; where there is no room for it either, it stays on the screen.
 */
export function useLeave(): (open: () => void | Promise<void>, then?: () => void) => Promise<void> {
  const t = useText().editor.project;
  const complain = useErrorToast();
  return async (open, then) => {
    try {
      const left = await saveToLeave();
      if (left === "nowhere") return toast(t.noRoom, t.noRoomLeave);
      await open();
      if (left === "kept") toast(t.keptHere, t.keptHereHint);
      then?.();
    } catch (refused) {
      complain(refused);
    }
  };
}
