import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { fileNameOf } from "@/api/exports";
import type { ExportFormat, ExportReport } from "@/api/types";
import { setLanguage } from "@/i18n";
import { digits } from "@/model/example.test-data";
import { ExportDialog, ExportRunDialog } from "./ExportDialog";

const format = (part: Partial<ExportFormat>): ExportFormat => ({
  name: "other",
  label: "Other",
  suffix: ".other",
  media_type: "application/octet-stream",
  summary: "A file of tomorrow",
  kind: "program",
  missing: [],
  ...part,
});
const FORMATS = [
  format({ name: "python", label: "Python", suffix: ".py", kind: "source" }),
  format({ name: "tomorrow", label: "Tomorrow", suffix: ".tmw" }),
  format({ name: "onnx", label: "ONNX", suffix: ".onnx", missing: ["onnx", "onnxscript"] }),
  format({ name: "int4", label: "int4", suffix: ".int4", kind: "quantized" }),
];
const ERROR = { batch: 2, max_absolute: 0.0123, mean_absolute: 0.0041, max_relative: 0.034, mean_relative: 0.0567 };
const REPORT: ExportReport = {
  format: "int4",
  bytes: 4,
  verified: [{ ...ERROR, max_absolute: 1.5e-7 }],
  quantization: {
    bytes_before: 2 ** 20,
    bytes_after: 2 ** 18,
    ratio: 0.25,
    error: ERROR,
    quantized: [],
    kept: [],
  },
  notes: ["It needs torchao."],
};
const PROBLEM = {
  code: "unknown_member",
  severity: "error",
  message: "Nothing is called fc.",
  block: "Digits",
  node: "n1",
  fixes: [],
  data: {},
};

type Answer = () => Response | Promise<Response>;
/** The service, which the client takes hold of when it is imported. */
const { asked, answers } = vi.hoisted(() => {
  const asked: string[] = [];
  const answers: { [what: string]: Answer } = {};
  globalThis.fetch = async (request) => {
    const { method, url } = request as Request;
    const { pathname, search } = new URL(url);
    asked.push(`${method} ${pathname}${search}`);
    return (answers[`${method} ${pathname}`] as Answer)();
  };
  return { asked, answers };
});

beforeEach(() => {
  asked.length = 0;
  answers["GET /api/graphs/export"] = () => Response.json(FORMATS);
});
afterEach(async () => {
  cleanup();
  await setLanguage("en");
});

function show(dialog: React.ReactNode) {
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
        {dialog}
      </QueryClientProvider>
    </MantineProvider>,
  );
}
const ofDocument = (more: Partial<Parameters<typeof ExportDialog>[0]> = {}) => (
  <ExportDialog
    opened
    onClose={() => undefined}
    title="Export"
    subject={() => ({ kind: "document", document: digits() })}
    {...more}
  />
);
const button = (name: RegExp) => screen.findByRole("button", { name }) as Promise<HTMLButtonElement>;
const sent = (report: ExportReport) =>
  new Response("file", {
    headers: { "X-Export-Report": JSON.stringify(report), "Content-Disposition": 'attachment; filename="Net.tmw"' },
  });

describe("the export dialog", () => {
  it("offers what the service lists, and says how to get what is missing", async () => {
    show(ofDocument());
    expect((await button(/Tomorrow \(\.tmw\)/)).disabled).toBe(false);
    expect(screen.getAllByText("A file of tomorrow")).toHaveLength(4);
    expect((await button(/ONNX/)).disabled).toBe(true);
    expect(screen.getByText("pip install onnx onnxscript")).toBeTruthy();
    expect(screen.getByRole("region", { name: "Programs" }).querySelectorAll("li")).toHaveLength(2);
    await setLanguage("zh");
    expect(
      within(await screen.findByRole("region", { name: "程序" })).getByText("供其他运行时使用的程序"),
    ).toBeTruthy();
  });

  it("says that the list could not be had, and asks again", async () => {
    answers["GET /api/graphs/export"] = () => Response.json({ code: "internal", detail: "No." }, { status: 500 });
    show(ofDocument());
    expect(await screen.findByRole("alert")).toBeTruthy();
    answers["GET /api/graphs/export"] = () => Response.json(FORMATS);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(await button(/Tomorrow/)).toBeTruthy();
  });

  it("shows a written file's size and how it was held against torch", async () => {
    let finish: (answer: Response) => void = () => undefined;
    answers["POST /api/graphs/export/tomorrow"] = () => new Promise((resolve) => (finish = resolve));
    show(ofDocument());
    fireEvent.click(await button(/Tomorrow/));
    expect(await screen.findByText(/may take minutes/)).toBeTruthy();
    expect((await button(/int4/)).disabled).toBe(true);
    finish(sent({ ...REPORT, quantization: null }));
    expect(await screen.findByText("Net.tmw, 4 B")).toBeTruthy();
    const report = screen.getByTestId("export-report").textContent;
    expect(report).toContain("1.50e-7, at batch 2");
    expect(report).toContain("It needs torchao.");
    expect((await button(/int4/)).disabled).toBe(false);
  });

  it("leads to the node that stands in the way", async () => {
    answers["POST /api/graphs/export/tomorrow"] = () =>
      Response.json({ code: "unknown_member", detail: "It cannot.", errors: [{ problem: PROBLEM }] }, { status: 422 });
    const found = vi.fn();
    show(ofDocument({ onProblem: found }));
    fireEvent.click(await button(/Tomorrow/));
    fireEvent.click(await button(/Show it in the graph/));
    expect(found.mock.calls[0]?.[0].node).toBe("n1");
  });

  it("forgets what is being written when it is cancelled", async () => {
    answers["POST /api/graphs/export/tomorrow"] = () => new Promise(() => undefined);
    show(ofDocument());
    fireEvent.click(await button(/Tomorrow/));
    fireEvent.click(await button(/Cancel/));
    expect((await button(/Tomorrow/)).disabled).toBe(false);
    expect(screen.queryByText(/may take minutes/)).toBeNull();
  });

  it("writes a run's chosen weights, and shows what rounding saved and cost", async () => {
    answers["GET /api/runs/r/export/int4"] = () => sent(REPORT);
    show(<ExportRunDialog id="r" choices={["best", "last"]} opened onClose={() => undefined} />);
    fireEvent.click(await screen.findByText("Last checkpoint"));
    fireEvent.click(await button(/int4/));
    const report = await screen.findByTestId("export-report");
    expect(report.textContent).toContain("Gives what the rounded module gives: the largest difference is 1.50e-7");
    expect(asked.at(-1)).toBe("GET /api/runs/r/export/int4?which=last");
    for (const said of ["1.0 MiB", "256 KiB 25 %", "0.0123 3.4 % of the largest", "0.0041 5.67 % of the mean"])
      expect(report.textContent).toContain(said);
    fireEvent.click(screen.getByText("Best checkpoint"));
    expect(screen.queryByTestId("export-report")).toBeNull();
  });
});

describe("the name of a sent file", () => {
  it("is read in both of its forms", () => {
    expect(fileNameOf('attachment; filename="Net-step7.onnx"')).toBe("Net-step7.onnx");
    expect(fileNameOf("attachment; filename*=utf-8''%E7%BD%91.pt2")).toBe("网.pt2");
    expect(fileNameOf(null)).toBeNull();
  });
});
