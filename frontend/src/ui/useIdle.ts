import { useEffect, useState } from "react";

const AT_LATEST_MS = 1_500;

/** False until the browser has nothing else to do for the first time, or for a moment at most. */
export function useIdle(): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    // Safari has no such callback.
    if (typeof requestIdleCallback === "undefined") {
      const timer = setTimeout(() => setIdle(true), AT_LATEST_MS / 5);
      return () => clearTimeout(timer);
    }
    const wish = requestIdleCallback(() => setIdle(true), { timeout: AT_LATEST_MS });
    return () => cancelIdleCallback(wish);
  }, []);
  return idle;
}
