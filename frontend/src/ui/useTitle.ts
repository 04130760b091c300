import { useEffect } from "react";

/** Names the browser's tab after what is shown. */
export function useTitle(title: string) {
  useEffect(() => {
    document.title = title ? `${title} · LayerLoom` : "LayerLoom";
  }, [title]);
}
