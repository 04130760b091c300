import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useLocation } from "wouter";
import { api, unwrap } from "@/api/client";
import { UnreachableError } from "@/api/errors";
import { runQuery, runsQuery } from "@/api/queries";
import type { Document, Plan } from "@/api/types";
import { useText } from "@/i18n/whole";
import { randomId } from "@/lib/id";
import { toast, useErrorToast } from "@/ui/Toasts";
import type { Fork } from "./fork/ForkFields";
import { type Settings, useRemembered } from "./settings";

interface Order {
  document: Document;
  settings: Settings;
  dataset: string;
  name: string;
  /** What to begin with of another run. */
  fork?: Fork | null;
}

/** One key for as long as the order stays the same: sent twice, because no answer came, it makes one run. */
class OrderKey {
  private text = "";
  private key = "";

  of(order: Order): string {
    const text = JSON.stringify(order);
    if (text !== this.text) this.key = randomId();
    this.text = text;
    return this.key;
  }

  /** An order that was refused may be sent again, and is another one then. */
  forget() {
    this.text = "";
  }
}

/** Starts a run and shows it. A form that was closed before the answer came wanted none: its run is stopped. */
export function useStartRun(onStarted: (plan: Plan) => void) {
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const tell = useErrorToast();
  const t = useText().train;
  const key = useRef(new OrderKey());
  const wanted = useRef(true);
  useEffect(() => {
    wanted.current = true;
    return () => {
      wanted.current = false;
    };
  }, []);
  const withdraw = async (id: string) => {
    try {
      await unwrap(api.POST("/api/runs/{run_id}/stop", { params: { path: { run_id: id } } }));
      toast(t.withdrawn);
    } catch (error) {
      tell(error);
    }
    await client.invalidateQueries({ queryKey: runsQuery.queryKey });
  };
  return useMutation({
    mutationFn: (order: Order) => {
      const { document, settings, dataset, name, fork } = order;
      const header = { "idempotency-key": key.current.of(order) };
      const body = { document, plan: { ...settings, dataset }, name };
      if (!fork) return unwrap(api.POST("/api/runs", { params: { header }, body }));
      const { run, checkpoint, optimizer } = fork;
      return unwrap(
        api.POST("/api/runs/{run_id}/fork", {
          params: { header, path: { run_id: run } },
          body: { ...body, checkpoint, optimizer },
        }),
      );
    },
    onSuccess: async (run, { settings, dataset, fork }) => {
      if (!wanted.current) return withdraw(run.id);
      useRemembered.setState({ dataset });
      client.setQueryData(runQuery(run.id).queryKey, run);
      void client.invalidateQueries({ queryKey: runsQuery.queryKey });
      // It names its forks.
      if (fork) void client.invalidateQueries({ queryKey: runQuery(fork.run).queryKey, exact: true });
      onStarted({ ...settings, dataset });
      navigate(`/runs/${run.id}`);
    },
    onError: (error) => {
      if (!(error instanceof UnreachableError)) key.current.forget();
    },
  });
}
