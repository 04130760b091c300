/** What this browser keeps by itself: documents as they were last edited, so that a crash or a closed tab loses nothing. */
import { normalise } from "@/model/normalise";
import type { Doc } from "@/model/types";
import { thisTab } from "./tab";

export type Draft = {
  /** Names the draft, and nothing else: two edits of one network are two drafts. */
  id: string;
  /** The tab that wrote it. */
  tab: string;
  network: string | null;
  /** The revision that was edited. */
  revision: number;
  /** Holds changes that the service does not have. */
  dirty: boolean;
  /** When it was written, in milliseconds. */
  at: number;
  /** Null where the service has it all: the draft then only says what was open. */
  document: Doc | null;
};
/** A draft that holds a document of its own. */
export type Kept = Draft & { document: Doc };

const OPEN = "layerloom.open";
const PREFIX = "layerloom.draft.";

export const holds = (draft: Draft): draft is Kept => draft.document !== null;

/** Writes a draft and remembers that it is open here; false when the browser gives no room for it. */
export function keep(draft: Omit<Draft, "tab" | "at">): boolean {
  // What the service has need not be kept twice; the room is for what nobody else has.
  const document = draft.dirty || draft.network === null ? draft.document : null;
  const text = JSON.stringify({ ...draft, document, tab: thisTab(), at: Date.now() } satisfies Draft);
  if (write(draft.id, text)) return true;
  for (const other of drafts()) if (!other.dirty && other.id !== draft.id) forget(other.id);
  return write(draft.id, text);
}

function write(id: string, text: string): boolean {
  try {
    localStorage.setItem(PREFIX + id, text);
    sessionStorage.setItem(OPEN, id);
    localStorage.setItem(OPEN, id);
    return true;
  } catch {
    return false;
  }
}

/** Writes into a draft that is not open any more; without a change where it has gone. */
export function amend(id: string, change: (draft: Draft) => Draft): void {
  const draft = recall(id);
  if (draft) tryTo(() => localStorage.setItem(PREFIX + id, JSON.stringify(change(draft))));
}

export const forget = (id: string): void => tryTo(() => localStorage.removeItem(PREFIX + id));

function tryTo(act: () => void): void {
  try {
    act();
  } catch {
    // Where nothing can be stored nothing has to be removed.
  }
}

/** A draft by its id. One that cannot be read is as good as none. */
export function recall(id: string): Draft | null {
  try {
    const raw = JSON.parse(localStorage.getItem(PREFIX + id) ?? "null") as Partial<Draft> | null;
    if (raw === null) return null;
    return {
      id,
      tab: typeof raw.tab === "string" ? raw.tab : "",
      network: typeof raw.network === "string" ? raw.network : null,
      revision: Number(raw.revision) || 0,
      dirty: raw.dirty === true,
      at: Number(raw.at) || 0,
      document: raw.document ? normalise(raw.document) : null,
    };
  } catch {
    return null;
  }
}

/** Every draft of this browser, the newest first. */
export function drafts(): Draft[] {
  try {
    return Object.keys(localStorage)
      .flatMap((key) => (key.startsWith(PREFIX) ? (recall(key.slice(PREFIX.length)) ?? []) : []))
      .sort((a, b) => b.at - a.at);
  } catch {
    return [];
  }
}

/** What this tab had open before it was loaded again, or what any tab had open last. */
export function openBefore(where: "tab" | "browser"): Draft | null {
  try {
    const id = (where === "tab" ? sessionStorage : localStorage).getItem(OPEN);
    return id === null ? null : recall(id);
  } catch {
    return null;
  }
}
