import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { catalogueQuery, ownLayersQuery } from "@/api/queries";
import { useText } from "@/i18n";
import { isOwn } from "@/model/code";
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
  // Where the server allows no code, the catalogue has no such layers, and asking for them is refused.
  const some = useMemo(() => data && [...data.layers, ...data.operations].some((it) => isOwn(it.name)), [data]);
  const { data: own } = useQuery({ ...ownLayersQuery, enabled: some === true });
  const sources = useMemo(() => new Map(own?.map((layer) => [layer.entry.name, layer.source])), [own]);
  const layers = useMemo(() => (data ? layersOf(data, sources) : []), [data, sources]);
  const operations = useMemo(() => (data ? operationsOf(data, sources) : []), [data, sources]);
  const structure = useMemo(() => {
    // `names` and `main` are all of the document that matters here.
    const { doc } = useDocument.getState().history;
    return names && main ? structureOf(doc, placeIn(trail, doc).block, t) : [];
  }, [names, main, trail, t]);
  return { structure, layers, operations };
}
