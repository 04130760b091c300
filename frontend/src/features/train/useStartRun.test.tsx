import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Router } from "wouter";
import { memoryLocation } from "wouter/memory-location";
import { api } from "@/api/client";
import { ApiError, UnreachableError } from "@/api/errors";
import { digits } from "@/model/example.test-data";
import { DEFAULTS } from "./settings";
import { useStartRun } from "./useStartRun";

/** A service that notes what it is asked, and answers an order as it is told. */
function serve(answer: () => Promise<unknown>) {
  const keys: string[] = [];
  const stopped: string[] = [];
  vi.spyOn(api, "POST").mockImplementation((async (path: string, options: { params: Params }) => {
    const { header, path: at } = options.params;
    if (path !== "/api/runs") stopped.push(at?.run_id ?? "");
    else keys.push(header?.["idempotency-key"] ?? "");
    return { data: path === "/api/runs" ? await answer() : {}, response: new Response() };
  }) as unknown as typeof api.POST);
  return { keys, stopped };
}
type Params = { header?: Record<string, string>; path?: { run_id: string } };

const order = (name: string) => ({ document: digits(), settings: DEFAULTS, dataset: "digits", name });

function mount() {
  const client = new QueryClient();
  const { hook, history } = memoryLocation({ record: true });
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>
      <Router hook={hook}>{children}</Router>
    </QueryClientProvider>
  );
  const { result, unmount } = renderHook(() => useStartRun(() => {}), { wrapper });
  const send = (name: string) => act(() => result.current.mutateAsync(order(name)).catch(() => {}));
  return { history, send, result, unmount };
}

describe("starting a run", () => {
  beforeEach(() => localStorage.clear());

  it("shows it", async () => {
    serve(async () => ({ id: "r1" }));
    const { history, send } = mount();
    await send("a");
    expect(history).toEqual(["/", "/runs/r1"]);
  });

  it("sends the same order under the same key, and another one under another", async () => {
    const { keys } = serve(() => Promise.reject(new UnreachableError(null)));
    const { send } = mount();
    for (const name of ["a", "a", "b", "b"]) await send(name);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
    expect(keys[3]).toBe(keys[2]);
  });

  it("takes a new key after a refusal", async () => {
    const { keys } = serve(() => Promise.reject(new ApiError(422, { code: "invalid_body" })));
    const { send } = mount();
    for (const name of ["a", "a"]) await send(name);
    expect(new Set(keys).size).toBe(2);
  });

  it("stops the run, and goes nowhere, when the form was closed before the answer came", async () => {
    let answer: (run: unknown) => void = () => {};
    const { stopped } = serve(() => new Promise((resolve) => (answer = resolve)));
    const { history, result, unmount } = mount();
    act(() => result.current.mutate(order("a")));
    await vi.waitFor(() => expect(api.POST).toHaveBeenCalled());
    unmount();
    answer({ id: "r1" });
    await vi.waitFor(() => expect(stopped).toEqual(["r1"]));
    expect(history).toEqual(["/"]);
  });
});
