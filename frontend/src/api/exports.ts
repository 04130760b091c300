/** Networks as files, in the formats that the service lists. */
import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import type { Document, ExportReport } from "@/api/types";

/** What can be written, and what is missing here for it. What is installed does not change while the service runs. */
export const formatsQuery = queryOptions({
  queryKey: ["formats"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/graphs/export", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** A drawing, with the weights that its initializers give; or a run, with those of a checkpoint. */
export type Subject =
  | { kind: "document"; document: Document }
  /** `which`: "last", "best" or a step. */
  | { kind: "run"; id: string; which: string };

export type WrittenFile = {
  name: string;
  content: Blob;
  /** Null for what holds no program and no rounded numbers. */
  report: ExportReport | null;
};

/** Has a file written, which may take minutes. @throws ApiError with the problems of what cannot be written so. */
export async function writtenFile(subject: Subject, format: string, signal: AbortSignal): Promise<WrittenFile> {
  const asked =
    subject.kind === "document"
      ? api.POST("/api/graphs/export/{format}", {
          params: { path: { format } },
          body: subject.document,
          parseAs: "blob",
          signal,
        })
      : api.GET("/api/runs/{run_id}/export/{format}", {
          params: { path: { run_id: subject.id, format }, query: { which: subject.which } },
          parseAs: "blob",
          signal,
        });
  const { headers } = (await asked).response;
  const content = (await unwrap<Blob | string>(asked)) as Blob;
  const report = headers.get("X-Export-Report");
  return {
    name: fileNameOf(headers.get("Content-Disposition")) ?? `network.${format}`,
    content,
    report: report === null ? null : (JSON.parse(report) as ExportReport),
  };
}

/** The name that a file is sent under; one beyond ASCII comes percent-encoded. */
export function fileNameOf(disposition: string | null): string | null {
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  if (encoded) return decodeURIComponent(encoded);
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? null;
}
