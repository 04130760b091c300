import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { runQuery, runsQuery } from "@/api/queries";
import type { Run, RunPage, RunPatch, RunSummary } from "@/api/types";
import { useErrorToast } from "@/ui/Toasts";

export type Command = "pause" | "resume" | "stop" | "checkpoint";

const send = (id: string, command: Command) => {
  const path = { params: { path: { run_id: id } } };
  switch (command) {
    case "pause":
      return unwrap(api.POST("/api/runs/{run_id}/pause", path));
    case "resume":
      return unwrap(api.POST("/api/runs/{run_id}/resume", path));
    case "stop":
      return unwrap(api.POST("/api/runs/{run_id}/stop", path));
    case "checkpoint":
      return unwrap(api.POST("/api/runs/{run_id}/checkpoint", path));
  }
};

/** Takes a new summary of a run into everything that shows it. */
function useAdopt() {
  const client = useQueryClient();
  return (summary: RunSummary) => {
    client.setQueryData<Run>(runQuery(summary.id).queryKey, (run) => run && { ...run, ...summary });
    client.setQueryData<RunPage>(
      runsQuery.queryKey,
      (page) => page && { ...page, items: page.items.map((one) => (one.id === summary.id ? summary : one)) },
    );
  };
}

/** Pause, resume and stop. What the user wishes is shown at once; the state follows when the trainer has obeyed. */
export function useRunCommand(id: string) {
  const adopt = useAdopt();
  const tell = useErrorToast();
  return useMutation({ mutationFn: (command: Command) => send(id, command), onSuccess: adopt, onError: tell });
}

export function useRenameRun() {
  const adopt = useAdopt();
  const tell = useErrorToast();
  return useMutation({
    mutationFn: ({ id, name }: { id: string; name: string }) =>
      unwrap(api.PATCH("/api/runs/{run_id}", { params: { path: { run_id: id } }, body: { name } })),
    onSuccess: adopt,
    onError: tell,
  });
}

/** Another learning rate or length, for a run that trains or has ended. What is refused is told where it was asked. */
export function useAdjustRun(id: string) {
  const adopt = useAdopt();
  return useMutation({
    mutationFn: (body: RunPatch) => unwrap(api.PATCH("/api/runs/{run_id}", { params: { path: { run_id: id } }, body })),
    onSuccess: adopt,
  });
}

export function useDeleteRuns() {
  const client = useQueryClient();
  const tell = useErrorToast();
  return useMutation({
    mutationFn: async (ids: string[]) => {
      for (const id of ids) await unwrap(api.DELETE("/api/runs/{run_id}", { params: { path: { run_id: id } } }));
    },
    onError: tell,
    onSettled: () => client.invalidateQueries({ queryKey: runsQuery.queryKey }),
  });
}
