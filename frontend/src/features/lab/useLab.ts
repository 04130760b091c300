/** The init lab's answer for the open document, asked for anew when the document means something else. */
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { api, unwrap } from "@/api/client";
import { sameMeaning, useCheck } from "@/features/problems/check";
import { useDoc } from "@/model/store";

export const AS_DRAWN = "as drawn";
export const RECOMMENDED = "recommended";
/** A measurement takes the service longer than a check. */
const DELAY_MS = 500;

/** `chosen` are names of schemes; the usual ones when empty. `refused`: the network has errors. */
export function useLab(chosen: readonly string[]) {
  const ok = useCheck((state) => state.report?.ok);
  const [doc] = useDebouncedValue(useDoc(), DELAY_MS);
  const meaning = useRef({ doc, number: 0 });
  if (!sameMeaning(meaning.current.doc, doc)) meaning.current = { doc, number: meaning.current.number + 1 };
  const { number } = meaning.current;
  // Compared with what the network has, whatever else is chosen; and the literature's is what the button applies.
  const ready = chosen.length > 0 ? [...new Set([AS_DRAWN, ...chosen, RECOMMENDED])] : [];
  const query = useQuery({
    queryKey: ["init lab", number, ready],
    queryFn: ({ signal }) => unwrap(api.POST("/api/graphs/init-lab", { body: { document: doc, ready }, signal })),
    placeholderData: keepPreviousData,
    enabled: ok === true,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  return {
    report: query.data ?? null,
    error: query.error,
    busy: query.isFetching,
    refused: ok === false && !query.data,
    again: () => void query.refetch(),
  };
}
