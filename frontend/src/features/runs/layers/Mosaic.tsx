import { useEffect, useRef } from "react";
import { viridis } from "@/lib/colormap";
import type { ImageFrame } from "@/live/images";
import styles from "./LayersPanel.module.css";

const NONFINITE = 255;
const BROKEN = [224, 49, 49] as const;
const MOST_HEIGHT = 520;

/** Colours of the bytes, as red, green and blue. */
const COLOURS = Array.from({ length: 256 }, (_, byte) => (byte === NONFINITE ? BROKEN : viridis(byte / 254)));

/** All maps of a frame side by side, a pixel for each number; the browser enlarges them without blurring. */
export function Mosaic({ frame, label }: { frame: ImageFrame; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { across, width, height } = layout(frame);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, frame, across);
  }, [frame, across]);
  return (
    <canvas
      ref={canvas}
      className={styles.mosaic}
      width={width}
      height={height}
      style={{ aspectRatio: `${width} / ${height}`, maxWidth: (MOST_HEIGHT * width) / height }}
      role="img"
      aria-label={label}
    />
  );
}

/** How many maps stand side by side so that all together are about as wide as high, and the pixels that they take. */
export function layout({ maps, rows, columns }: Pick<ImageFrame, "maps" | "rows" | "columns">) {
  const across = Math.max(1, Math.min(maps, Math.round(Math.sqrt((maps * rows) / columns))));
  const down = Math.ceil(maps / across);
  // A free pixel between two maps.
  return { across, width: across * (columns + 1) - 1, height: Math.max(1, down * (rows + 1) - 1) };
}

function paint(canvas: HTMLCanvasElement, { maps, rows, columns, pixels }: ImageFrame, across: number) {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(canvas.width, canvas.height);
  for (let map = 0; map < maps; map++) {
    const left = (map % across) * (columns + 1);
    const top = Math.floor(map / across) * (rows + 1);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const [red, green, blue] = COLOURS[pixels[(map * rows + row) * columns + column] ?? 0] ?? BROKEN;
        image.data.set([red, green, blue, 255], 4 * ((top + row) * canvas.width + left + column));
      }
    }
  }
  context.putImageData(image, 0, 0);
}
