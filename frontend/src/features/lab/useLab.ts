/** The init lab's answer for the open document, asked for anew when the document means something else. */
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { api, unwrap } from "@/api/client";
import { checkAgain, sameMeaning, useCheck } from "@/features/problems/check";
import { useDoc, useDocument } from "@/model/store";

export const AS_DRAWN = "as drawn";
export const RECOMMENDED = "recommended";
/** A measurement takes the service longer than a check. */
const DELAY_MS = 500;

/** `chosen` are names of schemes; the usual ones when empty. `refused`: the network has errors. */
export function useLab(chosen: readonly string[]) {
  const ok = useCheck((state) => state.report?.ok);
  const unchecked = useCheck((state) => (state.report ? null : state.error));
  const opened = useDocument((state) => state.opened);
  const now = useDoc();
  const [{ doc, of }] = useDebouncedValue(
    useMemo(() => ({ doc: now, of: opened }), [now, opened]),
    DELAY_MS,
  );
  // Of a document that was just opened nothing is known yet, and what was open before is not asked about.
  const current = of === opened;
  const meaning = useRef({ doc, number: 0 });
  if (!sameMeaning(meaning.current.doc, doc)) meaning.current = { doc, number: meaning.current.number + 1 };
  const { number } = meaning.current;
  // Compared with what the network has, whatever else is chosen; and the literature's is what the button applies.
  const ready = chosen.length > 0 ? [...new Set([AS_DRAWN, ...chosen, RECOMMENDED])] : [];
  const query = useQuery({
    queryKey: ["init lab", of, number, ready],
    queryFn: ({ signal }) => unwrap(api.POST("/api/graphs/init-lab", { body: { document: doc, ready }, signal })),
    // Bars stay while the same document is measured anew; another one's are not its own.
    placeholderData: (before, query) => (query?.queryKey[1] === of ? before : undefined),
    enabled: ok === true && current,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return {
    report: (current && query.data) || null,
    error: current ? (query.error ?? unchecked) : null,
    busy: query.isFetching,
    refused: ok === false,
    again: () => (unchecked ? checkAgain() : void query.refetch()),
  };
}
