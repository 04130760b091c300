import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Route, Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { checkpointsQuery, queryClient, runQuery } from "@/api/queries";
import { CheckpointsPanel } from "@/features/runs/CheckpointsPanel";
import { run } from "@/features/runs/run.test-data";
import { RunFeed } from "@/live/feed";
import { ComparePage } from "./ComparePage";
import { RunPage } from "./RunPage";

/** A stream that never says anything. */
class SilentSocket {
  close() {}
}

function show(page: ReactNode, path: string, address: string) {
  const { hook } = memoryLocation({ path: address });
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queryClient}>
        <Router hook={hook}>
          <Route path={path}>{page}</Route>
        </Router>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

describe("a page whose data could not be asked for once more", () => {
  beforeEach(() => {
    vi.stubGlobal("WebSocket", SilentSocket);
    vi.spyOn(api, "GET").mockRejectedValue(new ApiError(503, { code: "store_busy" }));
    for (const id of ["a", "b"])
      queryClient.setQueryData(
        runQuery(id).queryKey,
        run({ id, name: `Run ${id}`, plan: { ...run().plan, dataset: id } }),
      );
  });
  afterEach(() => {
    cleanup();
    queryClient.clear();
    vi.unstubAllGlobals();
  });
  const refetch = () => act(() => queryClient.refetchQueries({ type: "active" }));

  it("still shows the run", async () => {
    show(<RunPage />, "/runs/:id", "/runs/a");
    await refetch();
    expect(queryClient.getQueryState(runQuery("a").queryKey)?.status).toBe("error");
    expect(screen.getByRole("heading", { level: 1 }).textContent).toContain("Run a");
  });

  it("leads away from a run that does not exist", async () => {
    vi.spyOn(api, "GET").mockRejectedValue(new ApiError(404, { code: "not_found" }));
    show(<RunPage />, "/runs/:id", "/runs/gone");
    expect(await screen.findByText("This run does not exist, or was deleted.")).toBeTruthy();
    expect(screen.getByRole("link", { name: "All runs" }).getAttribute("href")).toBe("/runs");
  });

  it("still compares", async () => {
    show(<ComparePage />, "/compare", "/compare?ids=a,b");
    await refetch();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.getByRole("link", { name: "Run a" })).toBeTruthy();
  });

  it("still lists the checkpoints, and says that there may be more", async () => {
    const saved = {
      step: 7,
      epoch: 1,
      best: true,
      last: true,
      monitor: "loss",
      value: 1,
      weights: "trained",
      saved_at: 0,
    };
    queryClient.setQueryData(checkpointsQuery("a").queryKey, [saved] as never);
    show(<CheckpointsPanel run={run({ id: "a" })} feed={new RunFeed("a")} />, "/", "/");
    await refetch();
    expect(await screen.findByRole("alert")).toBeTruthy();
    expect(screen.getByText("7")).toBeTruthy();
  });
});
