import { create } from "zustand";

/** A run's checkpoint that another run begins with. */
export interface Beginning {
  run: string;
  name: string;
  /** `last`, `best` or a step. */
  checkpoint: string;
}

/** What the network that is open in the editor is to begin with when it is trained, if it came from a run. */
export const useBeginning = create<{ draft: string; from: Beginning | null }>(() => ({ draft: "", from: null }));
