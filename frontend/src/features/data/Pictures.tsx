import { useEffect, useRef } from "react";
import type { Picture } from "@/api/types";
import { useText } from "@/i18n/whole";
import styles from "./samples.module.css";

/** Images in a grid, each with its label below. */
export function Pictures({ pictures, labels }: { pictures: Picture[]; labels: string[] }) {
  return (
    <div className={styles.images}>
      {pictures.map((picture, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other name
        <Shown key={index} picture={picture} label={labels[index] ?? ""} />
      ))}
    </div>
  );
}

function Shown({ picture, label }: { picture: Picture; label: string }) {
  const t = useText().data;
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (canvas.current) paint(canvas.current, picture);
  }, [picture]);
  return (
    <figure className={styles.image}>
      <canvas ref={canvas} role="img" aria-label={t.image(label)} />
      <figcaption title={label}>{label}</figcaption>
    </figure>
  );
}

/** Channels first, as torch has them; one channel is grey, and of more than three the first is shown. */
function paint(canvas: HTMLCanvasElement, { shape, pixels }: Picture) {
  const [channels = 1, height = 1, width = 1] = shape;
  const bytes = Uint8Array.from(atob(pixels), (letter) => letter.charCodeAt(0));
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (context === null) return;
  const image = context.createImageData(width, height);
  const size = width * height;
  for (let pixel = 0; pixel < size; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * pixel + channel] = bytes[(channels === 3 ? channel * size : 0) + pixel] ?? 0;
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}
