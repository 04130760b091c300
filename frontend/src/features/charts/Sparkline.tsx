import { minMaxIndices } from "@/lib/downsample";

const WIDTH = 72;
const HEIGHT = 22;

/** A curve as small as a word; logarithmic where all values are positive. */
export function Sparkline({ values, label }: { values: Float64Array; label: string }) {
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      <path d={sparkPath(values)} fill="none" stroke="var(--ll-accent)" strokeWidth="1.3" strokeLinejoin="round" />
    </svg>
  );
}

export function sparkPath(values: Float64Array): string {
  const chosen = minMaxIndices(values, 0, values.length, WIDTH / 4);
  const positive = chosen.every((index) => !((values[index] as number) <= 0));
  const scale = (value: number) => (positive ? Math.log10(value) : value);
  const points = chosen
    .map((index) => [index, scale(values[index] as number)] as const)
    .filter(([, value]) => Number.isFinite(value));
  if (points.length === 0) return "";
  const heights = points.map(([, value]) => value);
  const low = Math.min(...heights);
  const span = Math.max(...heights) - low;
  const last = Math.max(1, values.length - 1);
  const y = (value: number) => (span === 0 ? HEIGHT / 2 : HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4));
  return points
    .map(([index, value], at) => `${at === 0 ? "M" : "L"}${((index / last) * WIDTH).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
}
