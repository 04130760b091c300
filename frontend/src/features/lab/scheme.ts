/** What the init lab's answer says of one scheme: a value for each layer, and where the way through them leads. */
import type { LabReport } from "@/api/types";

export type Measure = "variance" | "mean" | "gradient";
/** Beyond what is steady a variance grows or fades; beyond what a network learns with it explodes or vanishes. */
export type Verdict = "steady" | "grows" | "fades" | "explodes" | "vanishes";
export type Judgement = { verdict: Verdict; ratio: number; layers: number };
type SchemeResult = LabReport["schemes"][number];

/** The mean over the seeds; NaN where one of them was no longer finite, null where nothing was computed. */
function average(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.some((value) => value === null)
    ? Number.NaN
    : values.reduce<number>((sum, value) => sum + (value ?? 0), 0) / values.length;
}

/** One value for each of the calls that are shown. */
export function valuesOf(scheme: SchemeResult, measure: Measure, places: readonly number[]): (number | null)[] {
  const moments = measure === "gradient" ? scheme.gradients : scheme.outputs;
  return places.map((place) => average(moments[place]?.[measure === "mean" ? "mean" : "variance"] ?? []));
}

/** Which calls are shown: those that multiply with weights, or all. */
export const placesOf = ({ calls }: LabReport, weighing: boolean): number[] =>
  calls.flatMap((call, place) => (call.weighs || !weighing ? [place] : []));

/**
 * By how much the variance changes from one end of the network to the other, and what that means: outputs on the way
 * forth, gradients on the way back. Null where fewer than two layers have weights.
 */
export function judged(report: LabReport, scheme: SchemeResult, measure: Measure): Judgement | null {
  const back = measure === "gradient";
  const values = valuesOf(scheme, back ? "gradient" : "variance", placesOf(report, true));
  const way = back ? values.toReversed() : values;
  const first = way[0];
  const last = way.at(-1);
  if (way.length < 2 || first == null || last == null) return null;
  const direction = back ? "backward" : "forward";
  const steady = report.steady[direction] ?? Number.POSITIVE_INFINITY;
  const factor = report.factors[direction] ?? Number.POSITIVE_INFINITY;
  const finite = way.every((value) => value === null || Number.isFinite(value));
  const ratio = finite
    ? first > 0
      ? last / first
      : last > 0
        ? Number.POSITIVE_INFINITY
        : 0
    : Number.POSITIVE_INFINITY;
  return { verdict: verdictOf(ratio, steady, factor), ratio, layers: way.length };
}

/** Both bounds are within. */
function verdictOf(ratio: number, steady: number, factor: number): Verdict {
  if (ratio > factor) return "explodes";
  if (ratio < 1 / factor) return "vanishes";
  return ratio > steady ? "grows" : ratio < 1 / steady ? "fades" : "steady";
}

/** `base`: the value from which bars rise and fall. */
export type Scale = { low: number; high: number; base: number; of: (value: number) => number };
/** Powers of ten that are shown at most, so that one scheme's explosion leaves something of the others to see. */
const DECADES = 24;

/** A scale for all schemes: where a value stands between bottom (0) and top (1). Logarithmic but for means. */
export function scaleOf(rows: readonly (readonly (number | null)[])[], measure: Measure): Scale {
  const finite = rows.flat().filter((value): value is number => value !== null && Number.isFinite(value));
  if (measure === "mean") {
    const high = Math.max(0.1, ...finite.map(Math.abs));
    return { low: -high, high, base: 0, of: (value) => clamp((value + high) / (2 * high)) };
  }
  const logs = finite.filter((value) => value > 0).map(Math.log10);
  const low = Math.max(-DECADES, Math.floor(Math.min(-1, ...logs)));
  const high = Math.min(DECADES, Math.ceil(Math.max(1, ...logs)));
  return { low: 10 ** low, high: 10 ** high, base: 1, of: (value) => clamp((Math.log10(value) - low) / (high - low)) };
}

const clamp = (share: number): number => Math.min(1, Math.max(0, share));
