import { useCallback } from "react";
import { useText } from "@/i18n";

/** Names of what is no catalogue entry: kinds of members in the reader's language; other labels as they are. */
export function useKindName(): (label: string) => string {
  const { structure } = useText().editor;
  return useCallback(
    (label: string) => {
      const known = (structure as { [kind: string]: { label: string } })[label];
      return known?.label ?? label;
    },
    [structure],
  );
}
