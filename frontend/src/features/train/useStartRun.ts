import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useNavigate } from "react-router";
import { api, unwrap } from "@/api/client";
import { UnreachableError } from "@/api/errors";
import { runQuery, runsQuery } from "@/api/queries";
import type { Document } from "@/api/types";
import { randomId } from "@/lib/id";
import { type Settings, useRemembered } from "./settings";

interface Order {
  document: Document;
  settings: Settings;
  dataset: string;
  name: string;
}

/** Starts a run and shows it. The same order sent twice, because no answer came, makes one run. */
export function useStartRun(onStarted: () => void) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const key = useRef(randomId());
  return useMutation({
    mutationFn: ({ document, settings, dataset, name }: Order) =>
      unwrap(
        api.POST("/api/runs", {
          params: { header: { "idempotency-key": key.current } },
          body: { document, plan: { ...settings, dataset }, name },
        }),
      ),
    onSuccess: (run, { settings, dataset }) => {
      useRemembered.setState({ settings, dataset });
      client.setQueryData(runQuery(run.id).queryKey, run);
      void client.invalidateQueries({ queryKey: runsQuery.queryKey });
      onStarted();
      navigate(`/runs/${run.id}`);
    },
    // An order that was refused is another one once it is mended; one without an answer stays the same.
    onError: (error) => {
      if (!(error instanceof UnreachableError)) key.current = randomId();
    },
  });
}
