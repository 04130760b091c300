import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { catalogueQuery } from "@/api/queries";
import { useText } from "@/i18n";
import { useDocument } from "@/model/store";
import { placeIn, useView } from "@/model/view";
import { type Listed, layersOf, operationsOf, structureOf } from "./things";

export type Things = { structure: Listed[]; layers: Listed[]; operations: Listed[] };

/** Everything that can be put on the canvas of the block that is shown. */
export function useThings(): Things {
  const t = useText().editor;
  const { data } = useQuery(catalogueQuery);
  const names = useDocument((state) => Object.keys(state.history.doc.blocks).join("\n"));
  const main = useDocument((state) => state.history.doc.main);
  const trail = useView((state) => state.trail);
  const layers = useMemo(() => (data ? layersOf(data) : []), [data]);
  const operations = useMemo(() => (data ? operationsOf(data) : []), [data]);
  const structure = useMemo(() => {
    // `names` and `main` are all of the document that matters here.
    const { doc } = useDocument.getState().history;
    return names && main ? structureOf(doc, placeIn(trail, doc).block, t) : [];
  }, [names, main, trail, t]);
  return { structure, layers, operations };
}
