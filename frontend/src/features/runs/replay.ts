import type { RunSummary } from "@/api/types";
import type { RunView } from "@/live/fold";

/** Whether the log is still being read again: what it says then was so once, and the run itself knows more. */
export const isReplay = (run: RunSummary, view: RunView): boolean => view.lastSeq < run.last_seq;

/** The newest state that is known of a run. */
export const stateOf = (run: RunSummary, view: RunView): RunSummary["state"] =>
  view.lastSeq === 0 || isReplay(run, view) ? run.state : view.state;
