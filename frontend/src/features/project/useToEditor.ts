import { useDocument } from "@/model/store";
import { claimTab } from "./tab";
import { useLeave } from "./useLeave";

/** Opens a document in the editor from any page, once what is open there, if anything is, is safe. */
export function useToEditor(): (open: () => void, then: () => void) => Promise<void> {
  const leave = useLeave();
  return async (open, then) => {
    const claimed = async () => {
      await claimTab();
      open();
    };
    if (useDocument.getState().loaded) return leave(claimed, then);
    // Before the editor was there, nothing is open that could be lost.
    await claimed();
    then();
  };
}
