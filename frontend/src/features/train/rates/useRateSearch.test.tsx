import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { DEFAULTS, type Settings } from "@/features/train/settings";
import { digits } from "@/model/example.test-data";
import { useRateSearch } from "./useRateSearch";

/** A service that takes a search when it is let, and notes which ones are cancelled. */
function serve() {
  const cancelled: string[] = [];
  let take = () => {};
  const taken = new Promise<void>((resolve) => {
    take = resolve;
  });
  const search = { id: "s1", state: "running", steps: 100, rates: [], losses: [], smoothed: [], problems: [] };
  vi.spyOn(api, "POST").mockImplementation((async () => {
    await taken;
    return { data: search, response: new Response() };
  }) as unknown as typeof api.POST);
  vi.spyOn(api, "GET").mockResolvedValue({ data: search, response: new Response() } as never);
  vi.spyOn(api, "DELETE").mockImplementation((async (
    _: string,
    options: { params: { path: { search_id: string } } },
  ) => {
    cancelled.push(options.params.path.search_id);
    return { data: undefined, response: new Response() };
  }) as unknown as typeof api.DELETE);
  return { cancelled, take };
}

function mount() {
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => (
    <QueryClientProvider client={client}>{children}</QueryClientProvider>
  );
  const document = digits();
  const hook = renderHook(
    (settings: Settings) => useRateSearch({ document, settings, dataset: "digits", fork: null }),
    { wrapper, initialProps: DEFAULTS },
  );
  const start = () => act(() => hook.result.current.start());
  return { ...hook, start };
}

const rated = (lr: number) => ({ optimizer: { ...DEFAULTS.optimizer, arguments: { lr } } });

describe("a search for a learning rate", () => {
  it("goes on while only the rate and the length change, and ends with what it is about", async () => {
    const { cancelled, take } = serve();
    const { result, start, rerender } = mount();
    start();
    await waitFor(() => expect(result.current.state).toBe("asking"));
    take();
    await waitFor(() => expect(result.current.report?.id).toBe("s1"));
    rerender({ ...DEFAULTS, ...rated(0.5), epochs: 99 });
    expect([result.current.state, cancelled]).toEqual(["there", []]);
    rerender({ ...DEFAULTS, ...rated(0.5), batch_size: 7 });
    expect([result.current.state, cancelled]).toEqual(["none", ["s1"]]);
  });

  it("is cancelled by whoever closes the form", async () => {
    const { cancelled, take } = serve();
    const { result, start, unmount } = mount();
    start();
    take();
    await waitFor(() => expect(result.current.state).toBe("there"));
    unmount();
    expect(cancelled).toEqual(["s1"]);
  });

  it("is cancelled even when it was taken after that", async () => {
    const { cancelled, take } = serve();
    const { start, unmount } = mount();
    start();
    unmount();
    take();
    await waitFor(() => expect(cancelled).toEqual(["s1"]));
  });
});
