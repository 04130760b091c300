import { keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A refusal will be the same the next time; only silence is worth another try.
      retry: (failures, error) => !(error instanceof ApiError) && failures < 2,
    },
    mutations: { retry: false },
  },
});

export const catalogueQuery = queryOptions({
  queryKey: ["catalogue"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/catalogue", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const datasetsQuery = queryOptions({
  queryKey: ["datasets"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/datasets", { signal })),
});

export const systemQuery = queryOptions({
  queryKey: ["system"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/system", { signal })),
});

/** The newest runs first. */
export const runsQuery = queryOptions({
  queryKey: ["runs"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/runs", { params: { query: { limit: 1000 } }, signal })),
  placeholderData: keepPreviousData,
});

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/runs/{run_id}", { params: { path: { run_id: id } }, signal })),
  });

export const checkpointsQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id, "checkpoints"],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/runs/{run_id}/checkpoints", { params: { path: { run_id: id } }, signal })),
  });

/** A few samples of a data set. */
export const previewQuery = (name: string, count: number) =>
  queryOptions({
    queryKey: ["datasets", name, "preview", count],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/datasets/{name}/preview", { params: { path: { name }, query: { count } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** After an upload or a removal of a data set: the lists that name it, and what was seen of one of that name before. */
export async function refreshDatasets(client: QueryClient, name: string) {
  client.removeQueries({ queryKey: [...datasetsQuery.queryKey, name] });
  await Promise.all([
    client.invalidateQueries({ queryKey: datasetsQuery.queryKey, exact: true }),
    client.invalidateQueries({ queryKey: catalogueQuery.queryKey }),
  ]);
}
