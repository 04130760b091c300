import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";

/** Networks that come with the program. */
export const examplesQuery = queryOptions({
  queryKey: ["examples"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/examples", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});
