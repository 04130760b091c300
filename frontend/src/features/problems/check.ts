/** The service's judgement of the open document: asked for shortly after an edit, never for a mere move. */
import { useEffect } from "react";
import { create } from "zustand";
import { api, unwrap } from "@/api/client";
import { ApiError, UnreachableError } from "@/api/errors";
import type { Problem, Report } from "@/api/types";
import { useDocument } from "@/model/store";
import type { Doc } from "@/model/types";

/** Long enough to gather a burst of typing, short enough to feel immediate. */
const DELAY_MS = 120;
/** A real run and an examination take the service longer: they wait for a pause in the work. */
const CLOSER_MS = 800;
/** A service that does not answer is asked again without being told to: it may just be starting anew. */
const RETRY_MS = 5_000;
/** As long as the service asks for when too many others ask it at once (`Retry-After`). */
const BUSY_MS = 10_000;

/** After so long the same question may be answered; undefined for one that never will. */
function patience(error: unknown): number | undefined {
  if (error instanceof UnreachableError) return RETRY_MS;
  return error instanceof ApiError && error.status === 503 ? BUSY_MS : undefined;
}

/** The answer to one of the two closer looks; null until there is one. */
type Found = { problems?: Problem[] } | null;

type Check = {
  /** The last answer; that of an earlier state of the document while `pending`. */
  report: Report | null;
  /** True until the document as it stands was judged: also after a check that failed. */
  pending: boolean;
  error: unknown;
  /** Rises when somebody wants the same question asked again. */
  attempt: number;
};

export const useCheck = create<Check>(() => ({ report: null, pending: false, error: null, attempt: 0 }));

/** Values are shared between versions of a document, so that comparing the parts' identities is comparing contents. */
export function sameMeaning(left: Doc, right: Doc): boolean {
  return (
    left.blocks === right.blocks &&
    left.main === right.main &&
    left.init === right.init &&
    left.frozen === right.frozen &&
    left.inputs === right.inputs &&
    left.format === right.format
  );
}

const identity = ({ code, block, node, member }: Problem): string => JSON.stringify([code, block, node, member]);

/** Keeps `useCheck` at the open document. Mounted once, by the editor. */
export function useChecking(): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running: AbortController | null = null;
    let asked: { doc: Doc; opened: number } | null = null;

    const ask = async (doc: Doc) => {
      running?.abort();
      const controller = new AbortController();
      running = controller;
      try {
        const report = await unwrap(api.POST("/api/graphs/check", { body: doc, signal: controller.signal }));
        if (controller.signal.aborted) return;
        useCheck.setState({ report, pending: false, error: null });
        if (report.ok) timer = setTimeout(() => void lookCloser(doc, report, controller.signal), CLOSER_MS);
      } catch (error) {
        if (controller.signal.aborted) return;
        useCheck.setState({ pending: true, error });
        const delay = patience(error);
        if (delay !== undefined) timer = setTimeout(() => void ask(doc), delay);
      }
    };

    /** What a real run finds and what the textbooks warn of stand behind what the check found, and never in its way. */
    const lookCloser = async (doc: Doc, report: Report, signal: AbortSignal, before: [Found, Found] = [null, null]) => {
      const delays: (number | undefined)[] = [];
      const without = (error: unknown) => {
        delays.push(patience(error));
        return null;
      };
      const [run, doctor] = await Promise.all([
        before[0] ?? unwrap(api.POST("/api/graphs/confirm", { body: doc, signal })).catch(without),
        before[1] ?? unwrap(api.POST("/api/graphs/doctor", { body: { document: doc }, signal })).catch(without),
      ]);
      if (signal.aborted) return;
      const delay = delays.find((it) => it !== undefined);
      if (delay !== undefined) timer = setTimeout(() => void lookCloser(doc, report, signal, [run, doctor]), delay);
      const known = new Set(report.problems.map(identity));
      const told = new Map([...(run?.problems ?? []), ...(doctor?.problems ?? [])].map((it) => [identity(it), it]));
      const found = [...told.values()].filter((it) => !known.has(identity(it)));
      if (found.length === 0) return;
      useCheck.setState({ report: { ...report, problems: [...report.problems, ...found] } });
    };

    const follow = ({ history, opened, loaded }: ReturnType<typeof useDocument.getState>) => {
      if (!loaded) return;
      const fresh = asked?.opened !== opened;
      if (asked && !fresh && sameMeaning(asked.doc, history.doc)) return;
      asked = { doc: history.doc, opened };
      useCheck.setState(fresh ? { report: null, pending: true, error: null } : { pending: true });
      clearTimeout(timer);
      running?.abort();
      timer = setTimeout(() => void ask(history.doc), fresh ? 0 : DELAY_MS);
    };

    follow(useDocument.getState());
    const stop = useDocument.subscribe(follow);
    const stopRetries = useCheck.subscribe((state, before) => {
      if (state.attempt === before.attempt) return;
      clearTimeout(timer);
      void ask(useDocument.getState().history.doc);
    });
    return () => {
      stop();
      stopRetries();
      clearTimeout(timer);
      running?.abort();
    };
  }, []);
}

/** Asks once more, after the service could not be reached. */
export const checkAgain = (): void => useCheck.setState((state) => ({ attempt: state.attempt + 1 }));
