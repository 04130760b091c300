import type { RunSummary } from "@/api/types";

const LONGEST = 190;

/** A name that tells a run apart from the network's earlier ones: `Digits CNN 3`. */
export function nextName(network: string, runs: readonly Pick<RunSummary, "name">[]): string {
  const base = network.slice(0, LONGEST).trim();
  const numbers = runs.flatMap(({ name }) => {
    const number = name.startsWith(`${base} `) ? name.slice(base.length + 1) : "";
    return /^[1-9]\d{0,8}$/.test(number) ? [Number(number)] : [];
  });
  // Of the runs that were not numbered each counts.
  const plain = runs.filter(({ name }) => name === base).length;
  return `${base} ${1 + numbers.reduce((most, number) => Math.max(most, number), plain)}`;
}
