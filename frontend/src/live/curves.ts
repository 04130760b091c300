import { api, unwrap } from "@/api/client";
import type { SeriesPage } from "@/api/types";

/** Of each series: twice as many points, which is more than a chart has pixels. Shorter ones come exactly. */
const BUCKETS = 2_000;

interface Part {
  /** First and last step; all when absent. */
  steps?: [number, number];
  /** Names of series; all when absent. */
  names?: string[];
}

/** Series of a run as the service has them: their values where they are few, else what a chart shows of them. */
export function readSeries(id: string, { steps, names }: Part = {}): Promise<SeriesPage> {
  const range = steps === undefined ? {} : { first: steps[0], last: steps[1] };
  const query = { ...range, ...(names === undefined ? {} : { names }), buckets: BUCKETS };
  return unwrap(api.GET("/api/runs/{run_id}/series", { params: { path: { run_id: id }, query } }));
}
