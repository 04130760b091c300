/** The first-run tour: which stop is shown, and whether this browser has seen it. */
import { create } from "zustand";

const KEY = "layerloom.tour";
const SEEN = "seen";
/** In their order. Each bears the name of what it is about, which is marked with it: `data-tour`. */
export const STOPS = ["palette", "canvas", "problems", "train"] as const;

function seen(): boolean {
  try {
    return localStorage.getItem(KEY) === SEEN;
  } catch {
    // Where nothing can be remembered it would come with every visit.
    return true;
  }
}

type Tour = {
  /** The stop that is shown; null for none. */
  at: number | null;
  /** Whether somebody asked for it, who then wants the keyboard to be there. */
  asked: boolean;
};
export const useTour = create<Tour>(() => ({ at: seen() ? null : 0, asked: false }));

export const beginTour = (): void => useTour.setState({ at: 0, asked: true });
export const goToStop = (at: number): void => useTour.setState({ at });

export function endTour(): void {
  useTour.setState({ at: null, asked: false });
  try {
    localStorage.setItem(KEY, SEEN);
  } catch {
    // The page remembers it for as long as it lives.
  }
}
