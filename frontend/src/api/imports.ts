/** Networks from elsewhere: what can be opened here, and opening it. */
import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import type { ImportAnswer, ImportRequest } from "@/api/types";

/** Networks of torchvision, kinds of files, and whether code may be run. None of it changes while the service runs. */
export const importSourcesQuery = queryOptions({
  queryKey: ["import sources"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/graphs/import", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The classes of a text, and whether the one of that name can be read without running it. */
export const outlineQuery = (source: string, name: string) =>
  queryOptions({
    queryKey: ["outline", source, name],
    queryFn: ({ signal }) => unwrap(api.POST("/api/graphs/outline", { body: { source, name }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });

/** Where a network comes from: a library's by name, a text, or a file of weights or of a program. */
export type Source = { kind: "request"; body: ImportRequest } | { kind: "file"; file: File };

/** The network as a document. Going away ends the work. @throws ApiError with problems, which may name a line. */
export const importedNetwork = (source: Source, signal: AbortSignal): Promise<ImportAnswer> =>
  source.kind === "request"
    ? unwrap(api.POST("/api/graphs/import", { body: source.body, signal }))
    : unwrap(
        api.PUT("/api/graphs/import", {
          params: { query: { filename: source.file.name } },
          headers: { "Content-Type": "application/octet-stream" },
          body: source.file as unknown as string,
          bodySerializer: (body) => body,
          signal,
        }),
      );
