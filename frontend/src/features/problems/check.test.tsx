import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, renderHook, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { ApiError, UnreachableError } from "@/api/errors";
import type { Report } from "@/api/types";
import { CodePanel } from "@/features/code/CodePanel";
import { renameDocument } from "@/model/edit";
import { digits } from "@/model/example.test-data";
import { changeBlock } from "@/model/graph";
import { apply, useDocument } from "@/model/store";
import { useCheck, useChecking } from "./check";

const GOOD = { ok: true, problems: [], nodes: {}, modules: {}, outputs: null, totals: { batch: 2 } };
const REPORT = GOOD as unknown as Report;
const answer = (data: unknown) => ({ data, response: new Response() });
/** The service's questions about a document; `silent` and it answers none. */
function serve(service: { silent: boolean }) {
  vi.spyOn(api, "POST").mockImplementation((async (path: string) => {
    if (service.silent) throw new UnreachableError(new TypeError());
    if (path === "/api/graphs/confirm") return answer({ problems: [] });
    return answer(path === "/api/graphs/check" ? REPORT : { source: "class Net: ..." });
  }) as unknown as typeof api.POST);
}
const edit = () => apply("edit", (doc) => changeBlock(doc, doc.main, (block) => ({ ...block, doc: `${block.doc}.` })));

describe("a check that fails", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    useDocument.getState().open(digits());
    useCheck.setState({ report: null, pending: false, error: null });
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
  });
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

  it("leaves the shapes marked as those of an earlier state, and is tried again", async () => {
    const service = { silent: false };
    serve(service);
    renderHook(() => useChecking());
    await pass(10);
    expect(useCheck.getState()).toMatchObject({ report: REPORT, pending: false });
    service.silent = true;
    edit();
    await pass(500);
    expect(useCheck.getState()).toMatchObject({ report: REPORT, pending: true });
    expect(useCheck.getState().error).toBeInstanceOf(UnreachableError);
    service.silent = false;
    await pass(6_000);
    expect(useCheck.getState()).toMatchObject({ pending: false, error: null });
  });
});

describe("a network that checks", () => {
  const FOUND = { code: "in_place", severity: "error", message: "", node: "n1", data: {}, fixes: [] };
  const ADVICE = { ...FOUND, code: "variance_vanishes", severity: "warning" };
  let asked: string[] = [];

  beforeEach(() => {
    vi.useFakeTimers();
    asked = [];
    useDocument.getState().open(digits());
    useCheck.setState({ report: null, pending: false, error: null });
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
  });
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  const answering = (report: Report) =>
    vi.spyOn(api, "POST").mockImplementation((async (path: string) => {
      asked.push(path);
      if (path === "/api/graphs/check") return answer(report);
      return answer({ problems: path === "/api/graphs/doctor" ? [FOUND, ADVICE] : [FOUND] });
    }) as unknown as typeof api.POST);

  it("is run once the work pauses, and what that finds is told with the rest", async () => {
    answering(REPORT);
    renderHook(() => useChecking());
    await pass(10);
    edit();
    await pass(500);
    expect(asked).toEqual(["/api/graphs/check", "/api/graphs/check"]);
    await pass(1_000);
    expect(asked.slice(2)).toEqual(["/api/graphs/confirm", "/api/graphs/doctor"]);
    expect(useCheck.getState().report?.problems).toEqual([FOUND, ADVICE]);
    edit();
    await pass(300);
    expect(useCheck.getState().report?.problems).toEqual([]);
  });

  it("is asked for again by itself while the service is busy", async () => {
    let busy = true;
    vi.spyOn(api, "POST").mockImplementation((async (path: string) => {
      asked.push(path);
      if (path === "/api/graphs/check") return answer(REPORT);
      if (path === "/api/graphs/confirm") return answer({ problems: [FOUND] });
      if (busy) throw new ApiError(503, { code: "service_busy" });
      return answer({ problems: [ADVICE] });
    }) as unknown as typeof api.POST);
    renderHook(() => useChecking());
    await pass(1_500);
    expect(useCheck.getState().report?.problems).toEqual([FOUND]);
    busy = false;
    await pass(10_500);
    expect(useCheck.getState().report?.problems).toEqual([FOUND, ADVICE]);
    await pass(30_000);
    // What was answered is not asked once more.
    expect(asked.slice(1)).toEqual(["/api/graphs/confirm", "/api/graphs/doctor", "/api/graphs/doctor"]);
  });

  it("is not run while the check has errors", async () => {
    answering({ ...REPORT, ok: false });
    renderHook(() => useChecking());
    await pass(5_000);
    expect(asked).toEqual(["/api/graphs/check"]);
  });
});

describe("the code of an earlier state", () => {
  afterEach(cleanup);

  it("can be read, but neither copied nor downloaded", async () => {
    serve({ silent: false });
    useDocument.getState().open(digits());
    useCheck.setState({ report: REPORT, pending: false, error: null });
    render(
      <MantineProvider env="test">
        <QueryClientProvider client={new QueryClient()}>
          <CodePanel />
        </QueryClientProvider>
      </MantineProvider>,
    );
    const buttons = async () =>
      (await screen.findAllByRole("button", { name: /^(Copy|Download)$/ })) as HTMLButtonElement[];
    await vi.waitFor(async () => expect((await buttons()).map((it) => it.disabled)).toEqual([false, false]));
    act(() => {
      useCheck.setState({ pending: true });
      apply("rename", (doc) => renameDocument(doc, "Other"));
    });
    expect((await buttons()).map((it) => it.disabled)).toEqual([true, true]);
  });
});
