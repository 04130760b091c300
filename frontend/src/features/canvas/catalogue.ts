import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { catalogueQuery, queryClient } from "@/api/queries";
import type { Catalogue, Entry } from "@/api/types";
import type { Lookup } from "@/model/ports";

const tables = new WeakMap<Catalogue, Map<string, Entry>>();

function table(catalogue: Catalogue): Map<string, Entry> {
  const known = tables.get(catalogue);
  if (known) return known;
  const { layers, operations, initializers } = catalogue;
  const made = new Map([...operations, ...layers, ...initializers].map((entry) => [entry.name, entry]));
  tables.set(catalogue, made);
  return made;
}

const NOTHING: Lookup = () => undefined;

/** Finds layers, operations and initializers by name; nothing until the catalogue has arrived. */
export function useLookup(): Lookup {
  const { data } = useQuery(catalogueQuery);
  return useMemo(() => (data ? (name: string) => table(data).get(name) : NOTHING), [data]);
}

/** The same outside React. */
export function lookup(name: string): Entry | undefined {
  const catalogue = queryClient.getQueryData(catalogueQuery.queryKey);
  return catalogue && table(catalogue).get(name);
}
