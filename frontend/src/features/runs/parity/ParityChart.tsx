import { useComputedColorScheme } from "@mantine/core";
import type { ParityWay } from "@/api/types";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import { curveColour } from "@/ui/colours";
import styles from "./ParityPanel.module.css";
import { DASHES } from "./Swatch";

const WIDTH = 640;
const HEIGHT = 200;
/** Room for seven characters. */
const LEFT = 60;
const BOTTOM = 22;

/** The ways' losses over one another. */
export function ParityChart({ ways }: { ways: readonly ParityWay[] }) {
  const texts = useText().runs;
  const t = texts.parity;
  const scheme = useComputedColorScheme("light");
  const values = ways.flatMap((way) => way.losses ?? []).filter((value): value is number => value !== null);
  if (values.length === 0) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const count = Math.max(...ways.map((way) => way.losses?.length ?? 0));
  const x = (index: number) => LEFT + (index / Math.max(1, count - 1)) * (WIDTH - LEFT - 8);
  const y = (value: number) => 8 + ((high - value) / (high - low || 1)) * (HEIGHT - BOTTOM - 8);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className={styles.chart} role="img" aria-label={t.chart}>
      {[low, (low + high) / 2, high].map((value) => (
        <g key={value}>
          <path d={`M${LEFT} ${y(value)}H${WIDTH - 8}`} className={styles.grid} />
          <text x={LEFT - 7} y={y(value) + 4} textAnchor="end">
            {shortNumber(value)}
          </text>
        </g>
      ))}
      <text x={LEFT} y={HEIGHT - 4}>
        {texts.origin.step(1)}
      </text>
      <text x={WIDTH - 8} y={HEIGHT - 4} textAnchor="end">
        {count}
      </text>
      {ways.map((way, index) => (
        <path
          key={way.name}
          d={line(way.losses ?? [], x, y)}
          fill="none"
          stroke={curveColour(index, scheme)}
          strokeWidth={index === 0 ? 2.2 : 1.8}
          strokeDasharray={DASHES[index % DASHES.length]}
          strokeLinejoin="round"
        />
      ))}
    </svg>
  );
}

/** Where a loss is not finite, the curve is broken. */
function line(losses: readonly (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  return losses
    .map((value, index) =>
      value === null
        ? ""
        : `${index === 0 || losses[index - 1] === null ? "M" : "L"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`,
    )
    .join("");
}
