import { keepPreviousData, QueryClient, queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { TransformRequest } from "@/api/types";

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

/** What the docstring of an entry of the catalogue says, by its parts. */
export const helpQuery = (name: string) =>
  queryOptions({
    queryKey: ["help", name],
    queryFn: ({ signal }) => unwrap(api.GET("/api/catalogue/help/{name}", { params: { path: { name } }, signal })),
    // A layer of one's own may be written anew.
    staleTime: 10_000,
  });

/** Layers of one's own, with their code. */
export const ownLayersQuery = queryOptions({
  queryKey: ["own layers"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/python-layers", { signal })),
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

/** How the run's plan trains in several ways; asked for again while the report is being made. */
export const parityQuery = (id: string) =>
  queryOptions({
    queryKey: ["run", id, "parity"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/runs/{run_id}/parity", { params: { path: { run_id: id } }, signal })),
    refetchInterval: ({ state }) => (["waiting", "running"].includes(state.data?.state ?? "") ? 1000 : false),
  });

/** A search for a learning rate; asked for while it goes on, in the background too, or else it would be forgotten. */
export const rateSearchQuery = (id: string) =>
  queryOptions({
    queryKey: ["rates", id],
    queryFn: ({ signal }) => unwrap(api.GET("/api/rates/{search_id}", { params: { path: { search_id: id } }, signal })),
    refetchInterval: ({ state }) => (["waiting", "running"].includes(state.data?.state ?? "") ? 300 : false),
    refetchIntervalInBackground: true,
  });

/** A few samples of a data set. */
export const previewQuery = (name: string, count: number) =>
  queryOptions({
    queryKey: ["datasets", name, "preview", count],
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/datasets/{name}/preview", { params: { path: { name }, query: { count } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What was found in an upload, column by column. */
export const detailsQuery = (name: string) =>
  queryOptions({
    queryKey: ["datasets", name, "details"],
    queryFn: ({ signal }) => unwrap(api.GET("/api/datasets/{name}/details", { params: { path: { name } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** A few of its images before and after transforms. */
export const transformsQuery = (name: string, body: TransformRequest) =>
  queryOptions({
    queryKey: ["datasets", name, "transforms", body],
    queryFn: ({ signal }) =>
      unwrap(api.POST("/api/datasets/{name}/transforms", { params: { path: { name } }, body, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: keepPreviousData,
  });

/** After an upload or a removal of a data set: the lists that name it, and what was seen of one of that name before. */
export async function refreshDatasets(client: QueryClient, name: string) {
  client.removeQueries({ queryKey: [...datasetsQuery.queryKey, name] });
  await Promise.all([
    client.invalidateQueries({ queryKey: datasetsQuery.queryKey, exact: true }),
    client.invalidateQueries({ queryKey: catalogueQuery.queryKey }),
  ]);
}
