import { useEffect, useRef, useState } from "react";
import { paintViridis } from "@/lib/colormap";
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
  /** Painted again when it is another object: its maker keeps it until the data changes. */
  grid: Grid;
  /** Text for the cell under the pointer. */
  describe: (row: number, column: number) => string;
}

/** A grid of colours. */
export function HeatCanvas({ label, height, grid, describe }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ left: number; top: number; text: string } | null>(null);

  useEffect(() => {
    if (canvas.current) paint(canvas.current, grid);
  }, [grid]);

  const point = (event: React.PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    const { rows, columns } = grid;
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
