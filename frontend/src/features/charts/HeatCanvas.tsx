import { useEffect, useRef, useState } from "react";
import { paintViridis } from "@/lib/colormap";
import { type Drawable, drawLoop } from "@/live/loop";
import styles from "./HeatCanvas.module.css";

/** A grid of numbers between 0 and 1, row by row from the top; NaN is left empty. */
export interface Grid {
  rows: number;
  columns: number;
  values: Float32Array;
}

interface Props {
  label: string;
  height: number;
  grid: () => Grid;
  /** Text for the cell under the pointer. */
  describe: (row: number, column: number) => string;
  subscribe: (listener: () => void) => () => void;
  /** Changes when the grid is another one, not only a longer one. */
  of: string;
}

/** A picture of the whole run changes slowly. */
const PERIOD_MS = 500;

/** A grid of colours that is painted as data arrives. */
export function HeatCanvas({ label, height, grid, describe, subscribe, of }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(grid);
  latest.current = grid;
  const [hover, setHover] = useState<{ left: number; top: number; text: string } | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another grid is painted at once
  useEffect(() => {
    const host = canvas.current;
    if (host === null) return;
    const drawable: Drawable = { period: PERIOD_MS, visible: () => true, draw: () => paint(host, latest.current()) };
    drawLoop.mark(drawable);
    const end = subscribe(() => drawLoop.mark(drawable));
    return () => {
      end();
      drawLoop.forget(drawable);
    };
  }, [subscribe, of]);

  const point = (event: React.PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    const { rows, columns } = latest.current();
    const cell = (place: number, size: number, count: number) =>
      Math.min(count - 1, Math.max(0, Math.floor((place / size) * count)));
    if (rows === 0 || columns === 0) return setHover(null);
    setHover({ left, top, text: describe(cell(top, box.height, rows), cell(left, box.width, columns)) });
  };

  return (
    <div className={styles.frame} style={{ height }}>
      <canvas
        ref={canvas}
        className={styles.canvas}
        role="img"
        aria-label={label}
        onPointerMove={point}
        onPointerLeave={() => setHover(null)}
      />
      {hover && (
        <div className={styles.tooltip} style={{ left: hover.left, top: hover.top }} data-side={hover.left > 260}>
          {hover.text}
        </div>
      )}
    </div>
  );
}

/** One pixel per cell; the browser stretches it, without blurring. */
function paint(canvas: HTMLCanvasElement, { rows, columns, values }: Grid) {
  const context = canvas.getContext("2d");
  if (context === null || rows === 0 || columns === 0) return;
  canvas.width = columns;
  canvas.height = rows;
  const image = context.createImageData(columns, rows);
  paintViridis(values, new Uint32Array(image.data.buffer));
  context.putImageData(image, 0, 0);
}
