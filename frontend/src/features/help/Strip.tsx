import type { ParameterSpec } from "@/api/types";
import { useText } from "@/i18n";
import type { Arguments } from "@/model/types";
import styles from "./Strip.module.css";

const CELL = 15;
/** More cells than this would be too small to tell apart. */
const MOST = 17;
const OUT_Y = 44;

type Window = { kernel: number; stride: number; padding: number; dilation: number };

/** One number of an argument that may be one per axis: that of the last axis, along which the strip is drawn. */
function along(value: unknown): number | null {
  const whole = typeof value === "object" && value !== null && "$tuple" in value ? value.$tuple : value;
  const last: unknown = Array.isArray(whole) ? whole.at(-1) : whole;
  return typeof last === "number" && Number.isInteger(last) ? last : null;
}

/** The window that a layer moves over its input; null for layers that have none, or one that is not written in numbers. */
export function windowOf(specs: readonly ParameterSpec[], args: Arguments): Window | null {
  const spec = (name: string) => specs.find((it) => it.name === name);
  // A transposed window is moved over the output.
  if (!spec("kernel_size") || !spec("stride") || spec("output_padding")) return null;
  const given = (name: string): unknown => args[name] ?? spec(name)?.default;
  const kernel = along(given("kernel_size"));
  // Pooling steps by its window's size where nothing else is said.
  const stride = (given("stride") ?? null) === null ? kernel : along(given("stride"));
  const padding = spec("padding") ? along(given("padding")) : 0;
  const dilation = spec("dilation") ? along(given("dilation")) : 1;
  if (kernel === null || stride === null || padding === null || dilation === null) return null;
  return Math.min(kernel, stride, dilation) < 1 || padding < 0 ? null : { kernel, stride, padding, dilation };
}

/** Along one axis: the input with its padding, where the window reads for the first two outputs, and the outputs. */
export function Strip({ window: { kernel, stride, padding, dilation } }: { window: Window }) {
  const t = useText().help.strip;
  const reach = (kernel - 1) * dilation + 1;
  const cells = Math.max(reach + stride, reach + 2);
  if (cells > MOST) return null;
  const taps = Array.from({ length: kernel }, (_, tap) => tap * dilation);
  const outputs = [0, 1].map((step) => (step * stride + (reach - 1) / 2) * CELL + CELL / 2);
  return (
    <svg
      className={styles.strip}
      viewBox={`-1 -1 ${cells * CELL + 2} ${OUT_Y + CELL + 2}`}
      style={{ maxWidth: cells * CELL + 2 }}
      role="img"
      aria-label={t.describe(kernel, stride, padding, dilation)}
      data-testid="strip"
      data-cells={cells}
      data-taps={taps.join()}
    >
      {Array.from({ length: cells }, (_, cell) => cell).map((cell) => (
        <rect
          key={cell}
          x={cell * CELL + 1}
          y={1}
          width={CELL - 2}
          height={CELL - 2}
          rx={2}
          data-padding={cell < padding || undefined}
          data-read={taps.includes(cell) || undefined}
          data-next={taps.includes(cell - stride) || undefined}
        />
      ))}
      {outputs.map((x, step) => (
        <g key={x} data-step={step}>
          {taps.map((tap) => (
            <line key={tap} x1={(tap + step * stride) * CELL + CELL / 2} y1={CELL} x2={x} y2={OUT_Y} />
          ))}
          <rect x={x - CELL / 2 + 1} y={OUT_Y} width={CELL - 2} height={CELL - 2} rx={2} data-out />
        </g>
      ))}
    </svg>
  );
}
