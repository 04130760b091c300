import type { RunState, RunSummary } from "@/api/types";
import { useText } from "@/i18n/whole";
import styles from "./StateBadge.module.css";

type Tone = "idle" | "busy" | "ok" | "warn" | "bad";

const TONES: Record<RunState, Tone> = {
  queued: "idle",
  starting: "busy",
  running: "busy",
  paused: "warn",
  succeeded: "ok",
  stopped: "idle",
  failed: "bad",
  interrupted: "warn",
};

/** States in which a trainer is at work, or soon will be. */
export const isActive = (state: RunState) => state === "queued" || state === "starting" || state === "running";
/** States that only a new attempt can leave. */
export const isEnded = (state: RunState) => !isActive(state) && state !== "paused";

/** A run's state; while it has not yet followed the user's wish, the wish. */
export function StateBadge({ state, desired }: { state: RunState; desired?: RunSummary["desired"] | undefined }) {
  const t = useText().runs;
  const pending = pendingWish(state, desired);
  return (
    <span className={styles.badge} data-tone={TONES[state]} data-state={state}>
      <span className={styles.dot} aria-hidden="true" />
      {pending ? t.wishes[pending] : t.states[state]}
    </span>
  );
}

function pendingWish(state: RunState, desired: RunSummary["desired"] | undefined) {
  if (desired === "pause" && isActive(state)) return "pause";
  if (desired === "stop" && (isActive(state) || state === "paused")) return "stop";
  return desired === "run" && state === "paused" ? "run" : undefined;
}
