import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { api, unwrap } from "@/api/client";
import { rateSearchQuery } from "@/api/queries";
import type { Document, RateSearch } from "@/api/types";
import type { Fork } from "@/features/train/fork/ForkFields";
import type { Settings } from "@/features/train/settings";

interface Subject {
  document: Document;
  settings: Settings;
  dataset: string;
  fork: Fork | null;
}

/** A search for a learning rate, from the press of a button on. */
export interface Search {
  /** Nothing was asked for, a search was asked for, or there is one. */
  state: "none" | "asking" | "there";
  report: RateSearch | undefined;
  /** Why what was found cannot be read. */
  error: Error | null;
  /** Why there is none: problems of the network, the plan or the data. */
  refusal: Error | null;
  start: () => void;
  /** Ends it, and forgets what it has found. */
  stop: () => void;
  /** Forgets why there was none. */
  forgive: () => void;
}

/** Searches for what would be trained. When that becomes another thing, or the form is closed, the search is ended. */
export function useRateSearch(subject: Subject): Search {
  const client = useQueryClient();
  const [id, setId] = useState<string | null>(null);
  // What is wanted now; null when nothing is. An answer to an earlier wish comes too late.
  const wish = useRef<object | null>(null);

  const withdraw = useCallback(
    (search: string) => {
      client.removeQueries({ queryKey: rateSearchQuery(search).queryKey });
      // The service forgets it by itself when this does not arrive.
      void api.DELETE("/api/rates/{search_id}", { params: { path: { search_id: search } } }).catch(() => {});
    },
    [client],
  );
  // Once it is not asked after any more: the answer would be that there is none.
  useEffect(() => (id === null ? undefined : () => withdraw(id)), [id, withdraw]);

  const ask = useMutation({
    mutationFn: ({ document, settings, dataset, fork }: Subject & { wish: object }) =>
      unwrap(
        api.POST("/api/rates", {
          body: {
            document,
            plan: { ...settings, dataset },
            origin: fork && { run: fork.run, checkpoint: fork.checkpoint },
          },
        }),
      ),
    onSuccess: (search, order) => {
      if (order.wish !== wish.current) return withdraw(search.id);
      client.setQueryData(rateSearchQuery(search.id).queryKey, search);
      setId(search.id);
    },
  });
  const query = useQuery({ ...rateSearchQuery(id ?? ""), enabled: id !== null });

  const stop = useCallback(() => {
    wish.current = null;
    setId(null);
    ask.reset();
  }, [ask.reset]);
  const start = () => {
    stop();
    wish.current = {};
    ask.mutate({ ...subject, wish: wish.current });
  };
  const key = subjectKey(subject);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was found holds for this subject only
  useEffect(() => stop, [key, stop]);

  return {
    state: id !== null ? "there" : ask.isPending ? "asking" : "none",
    report: id === null ? undefined : query.data,
    error: id === null ? null : query.error,
    refusal: ask.error,
    start,
    stop,
    forgive: () => ask.error && ask.reset(),
  };
}

/** All that the found rate depends on: neither the rate that is set nor how long is trained. */
function subjectKey({ document, settings, dataset, fork }: Subject): string {
  const { optimizer, groups, loss, class_weights, mixing, transforms, heads, clip, precision, device } = settings;
  const { batch_size, accumulation, seed, split, normalize } = settings;
  const { lr: _, ...others } = optimizer.arguments;
  const rates = { optimizer: { ...optimizer, arguments: others }, groups, loss, class_weights, mixing, transforms };
  const data = { dataset, batch_size, accumulation, seed, split, normalize };
  return JSON.stringify([document, rates, heads, clip, precision, device, data, fork?.run, fork?.checkpoint]);
}
