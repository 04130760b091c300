import type { LayerTracks, ParameterTracks } from "@/live/tracks";
import { memberNorms, type NodeNorms } from "./norms";

/** What the graph can be painted by: of the parameters below a node, and of what its layers give. */
export const MEASURES = ["gradient", "ratio", "std", "dead"] as const;
export type Measure = (typeof MEASURES)[number];

/** What the layers below a node gave at one sampled step. */
export interface NodeActivity {
  mean: number;
  std: number;
  zeros: number;
  dead: number;
  units: number;
  layers: number;
}

/** What was measured of a node: the number that it is painted by, and what lies behind it. */
export interface Reading {
  value: number;
  /** Whether it is a share of a whole. */
  whole: boolean;
  norms: NodeNorms | null;
  activity: NodeActivity | null;
}

/** The number that a node is painted by at one sampled step; null where there is none. */
export function reading(
  measure: Measure,
  { statistics, activations }: { statistics: ParameterTracks; activations: LayerTracks },
  member: string,
  sample: number,
): Reading | null {
  if (measure === "gradient" || measure === "ratio") {
    const norms = memberNorms(statistics, member, sample);
    const value = norms && (measure === "gradient" ? norms.gradient : norms.update / norms.weight);
    return value === null ? null : { value, whole: false, norms, activity: null };
  }
  const activity = memberActivity(activations, member, sample);
  const value = activity && (measure === "std" ? activity.std : activity.dead / activity.units);
  return value === null ? null : { value, whole: measure === "dead", norms: null, activity };
}

/** A layer's own numbers; of a box all its layers together: the mean of the moments, and all units. */
export function memberActivity(tracks: LayerTracks, member: string, sample: number): NodeActivity | null {
  const own = tracks.columns.get(member);
  const below = own
    ? [own]
    : [...tracks.columns].flatMap(([name, one]) => (name.startsWith(`${member}.`) ? [one] : []));
  const seen = below.filter(({ units }) => units.at(sample) > 0);
  if (seen.length === 0) return null;
  const sum = (value: (one: (typeof seen)[number]) => number) => seen.reduce((total, one) => total + value(one), 0);
  return {
    mean: sum(({ mean }) => mean.at(sample)) / seen.length,
    std: Math.sqrt(sum(({ std }) => std.at(sample) ** 2) / seen.length),
    zeros: sum(({ zeros }) => zeros.at(sample)) / seen.length,
    dead: sum(({ dead }) => dead.at(sample)),
    units: sum(({ units }) => units.at(sample)),
    layers: seen.length,
  };
}
