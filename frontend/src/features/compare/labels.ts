import type { Run } from "@/api/types";

/** Names to tell runs apart by: a name that several share is followed by the beginning of the id. */
export function runLabels(runs: readonly Pick<Run, "id" | "name">[]): string[] {
  const shared = (name: string) => runs.filter((run) => run.name === name).length > 1;
  return runs.map(({ id, name }) => (shared(name) ? `${name} · ${id.slice(0, 4)}` : name));
}
