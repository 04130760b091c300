import type { DatasetEntry } from "@/api/types";
import { seriesName } from "@/features/charts/groups";
import type { Settings } from "./settings";

/** The metrics that a task has when the plan names none. */
const BY_TASK: Record<DatasetEntry["task"], readonly string[]> = {
  classification: ["accuracy"],
  tokens: ["accuracy"],
  regression: ["mean_absolute_error", "r2_score"],
  reconstruction: ["mean_absolute_error"],
};

/** The series that a run will measure after every epoch, as far as plan and task tell: one of them can be monitored. */
export function monitorable(settings: Settings, task: DatasetEntry["task"] | undefined): string[] {
  const chosen = settings.metrics?.map(({ name }) => seriesName(name));
  const metrics = chosen ?? (task === undefined ? [] : BY_TASK[task]);
  const heads = settings.heads.flatMap(({ output, metrics: own }) => [
    `${output}/loss`,
    ...(own ?? []).map(({ name }) => `${output}/${seriesName(name)}`),
  ]);
  const measured = settings.heads.length > 0 ? heads : metrics;
  const names = ["validation/loss", ...measured.flatMap((metric) => [`validation/${metric}`, `train/${metric}`])];
  const { monitor } = settings.checkpoints;
  return monitor === null || names.includes(monitor) ? names : [...names, monitor];
}
