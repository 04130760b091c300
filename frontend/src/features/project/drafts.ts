/** What this browser keeps by itself: the open document as it was last edited, so that a crash or a closed tab loses nothing. */
import { normalise } from "@/model/normalise";
import type { Doc } from "@/model/types";

export type Draft = {
  network: string | null;
  /** The revision that was edited. */
  revision: number;
  /** Holds changes that the service does not have. */
  dirty: boolean;
  document: Doc;
};

const LAST = "layerloom.open";
const key = (network: string | null): string => `layerloom.draft.${network ?? "new"}`;

/** Remembers what is open; false when the browser gives no room for it. */
export function keep(draft: Draft): boolean {
  try {
    localStorage.setItem(key(draft.network), JSON.stringify(draft));
    localStorage.setItem(LAST, draft.network ?? "new");
    return true;
  } catch {
    return false;
  }
}

export function forget(network: string | null): void {
  try {
    localStorage.removeItem(key(network));
  } catch {
    // Where nothing can be stored nothing has to be removed.
  }
}

/** The draft of a network, or of what was open last. A draft that cannot be read is as good as none. */
export function recall(network?: string | null): Draft | null {
  try {
    const name = network === undefined ? localStorage.getItem(LAST) : (network ?? "new");
    const text = name === null ? null : localStorage.getItem(`layerloom.draft.${name}`);
    if (text === null) return null;
    const raw = JSON.parse(text) as Draft;
    return {
      network: typeof raw.network === "string" ? raw.network : null,
      revision: Number(raw.revision) || 0,
      dirty: raw.dirty === true,
      document: normalise(raw.document),
    };
  } catch {
    return null;
  }
}
