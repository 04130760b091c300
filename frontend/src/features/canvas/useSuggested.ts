import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useRecent } from "@/features/palette/recent";
import { useCheck } from "@/features/problems/check";
import { examplesQuery } from "@/features/project/examples";
import { isTensor } from "@/model/ports";
import { nodeReport } from "@/model/report";
import { currentDoc } from "@/model/store";
import type { Doc } from "@/model/types";
import { placeIn, useView } from "@/model/view";
import { countUses, ordered } from "./suggest";
import type { Listed } from "./things";

/** Entries in the order in which they are offered while nothing is typed, for a value that is to be taken further. */
export function useSuggested(all: readonly Listed[], from: string | null): Listed[] {
  const { data } = useQuery(examplesQuery);
  const recent = useRecent((state) => state.ids);
  const uses = useMemo(() => countUses([currentDoc(), ...(data?.map((it) => it.document as Doc) ?? [])]), [data]);
  return ordered(all, recent, uses, from === null ? null : axesOf(from));
}

/** How many axes the value has that the next addition takes: that of the one selected node. */
export function useSelectedAxes(): number | null {
  const id = useView(({ selection }) => (selection.size === 1 ? ([...selection][0] ?? null) : null));
  return id === null ? null : axesOf(id);
}

/** How many axes the value of a node has; null where that is not known. */
export function axesOf(id: string): number | null {
  const doc = currentDoc();
  const place = placeIn(useView.getState().trail, doc);
  const example = place.block === doc.main ? doc.inputs[id.replace("input:", "")] : undefined;
  if (id.startsWith("input:")) return example ? example.shape.length + (example.batch ? 1 : 0) : null;
  const result = nodeReport(useCheck.getState().report, place, id)?.output;
  return isTensor(result) ? result.shape.length : null;
}
