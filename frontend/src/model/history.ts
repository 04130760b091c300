/** Undo and redo over whole documents: each step has a name, and a gesture is one step. */
import type { Texts } from "@/i18n";
import type { Doc } from "./types";

/** How a step is called. In the page's words it is a function of them, so that it follows a switch of the language. */
export type StepName = string | ((t: Texts) => string);
export const nameOf = (step: StepName, t: Texts): string => (typeof step === "string" ? step : step(t));

export type Step = { label: StepName; before: Doc };
export type History = {
  doc: Doc;
  past: readonly Step[];
  /** Steps that were undone, the next to redo last; `before` is the document that redoing gives. */
  future: readonly Step[];
  /** Applications with the key of the newest step go into that step. */
  mergeKey: string | null;
};

export const LIMIT = 200;

export const begin = (doc: Doc): History => ({ doc, past: [], future: [], mergeKey: null });

/** One step more, or the newest one continued: a gesture is called by what it was in the end. */
export function applied(history: History, label: StepName, doc: Doc, mergeKey: string | null = null): History {
  if (doc === history.doc) return history;
  if (mergeKey !== null && mergeKey === history.mergeKey && history.past.length > 0 && history.future.length === 0)
    return { ...history, doc, past: [...history.past.slice(0, -1), { ...(history.past.at(-1) as Step), label }] };
  const past = [...history.past, { label, before: history.doc }].slice(-LIMIT);
  return { doc, past, future: [], mergeKey };
}

export function undone(history: History): History {
  const step = history.past.at(-1);
  if (!step) return history;
  return {
    doc: step.before,
    past: history.past.slice(0, -1),
    future: [...history.future, { label: step.label, before: history.doc }],
    mergeKey: null,
  };
}

export function redone(history: History): History {
  const step = history.future.at(-1);
  if (!step) return history;
  return {
    doc: step.before,
    past: [...history.past, { label: step.label, before: history.doc }],
    future: history.future.slice(0, -1),
    mergeKey: null,
  };
}

/** Ends a gesture: the next application is a step of its own. */
export const settled = (history: History): History =>
  history.mergeKey === null ? history : { ...history, mergeKey: null };

/** A change that is no step of the user's: it is made in every state that can be gone back to or on to. */
export function everywhere(history: History, change: (doc: Doc) => Doc): History {
  const inStep = (step: Step): Step => ({ ...step, before: change(step.before) });
  return {
    ...history,
    doc: change(history.doc),
    past: history.past.map(inStep),
    future: history.future.map(inStep),
  };
}
