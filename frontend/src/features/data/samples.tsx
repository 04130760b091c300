import { Table } from "@mantine/core";
import { useEffect, useRef } from "react";
import type { DatasetEntry, DatasetPreview } from "@/api/types";
import { useText } from "@/i18n";
import { shortNumber } from "@/lib/format";
import { range } from "@/lib/range";
import { sampleKind, targetText } from "./kinds";
import styles from "./samples.module.css";

/** Samples of a data set as what they are. */
export function Samples({ entry, preview }: { entry: DatasetEntry; preview: DatasetPreview }) {
  switch (sampleKind(entry)) {
    case "image":
      return <Images entry={entry} preview={preview} />;
    case "sequence":
      return <Sequences entry={entry} preview={preview} />;
    case "tokens":
      return <Tokens entry={entry} preview={preview} />;
    case "row":
      return <Rows entry={entry} preview={preview} />;
  }
}

interface Props {
  entry: DatasetEntry;
  preview: DatasetPreview;
}

const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [Number(value)]);

function Images({ entry, preview }: Props) {
  const all = preview.inputs.map(flat);
  const [low, high] = range(all.flatMap(range));
  return (
    <div className={styles.images}>
      {all.map((values, index) => (
        <Picture
          // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other name
          key={index}
          shape={entry.shape}
          values={values}
          range={[low, high]}
          target={targetText(entry, preview.targets[index])}
        />
      ))}
    </div>
  );
}

function Picture(props: { shape: number[]; values: number[]; range: [number, number]; target: string }) {
  const t = useText().data;
  const canvas = useRef<HTMLCanvasElement>(null);
  const { shape, values, range } = props;
  useEffect(() => {
    if (canvas.current) paint(canvas.current, shape, values, range);
  });
  return (
    <figure className={styles.image}>
      <canvas ref={canvas} role="img" aria-label={t.image(props.target)} />
      <figcaption>{props.target}</figcaption>
    </figure>
  );
}

/** Channels first, as torch has them. */
function paint(canvas: HTMLCanvasElement, shape: number[], values: number[], [low, high]: [number, number]) {
  const [channels = 1, height = 1, width = 1] = shape;
  const context = canvas.getContext("2d");
  if (context === null) return;
  canvas.width = width;
  canvas.height = height;
  const image = context.createImageData(width, height);
  const scale = 255 / (high - low || 1);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const plane = channels === 3 ? channel : 0;
      image.data[4 * pixel + channel] = ((values[plane * width * height + pixel] ?? low) - low) * scale;
    }
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

const PLOT = { width: 180, height: 64 };

function Sequences({ entry, preview }: Props) {
  const t = useText().data;
  return (
    <div className={styles.plots}>
      {preview.inputs.map((input, index) => {
        const target = targetText(entry, preview.targets[index]);
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other name
          <figure key={index} className={styles.plot}>
            <svg viewBox={`0 0 ${PLOT.width} ${PLOT.height}`} role="img" aria-label={t.series(target)}>
              {features(input as number[][]).map((values, feature) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a feature is its index
                <polyline key={feature} points={points(values)} className={styles.curve} />
              ))}
            </svg>
            <figcaption>→ {target}</figcaption>
          </figure>
        );
      })}
    </div>
  );
}

/** Columns of a T×F sample; more than three curves in one small plot say nothing. */
function features(sample: number[][]): number[][] {
  const count = Math.min(3, sample[0]?.length ?? 0);
  return Array.from({ length: count }, (_, feature) => sample.map((step) => step[feature] ?? 0));
}

function points(values: number[]): string {
  const [low, high] = range(values);
  const span = high - low || 1;
  const x = (index: number) => (index / Math.max(1, values.length - 1)) * PLOT.width;
  const y = (value: number) => PLOT.height - 4 - ((value - low) / span) * (PLOT.height - 8);
  return values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
}

/** Spaces and line ends have to be seen. */
const visible = (text: string) => text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "·");

function Tokens({ entry, preview }: Props) {
  const read = (ids: unknown) =>
    visible(
      flat(ids)
        .map((id) => entry.classes[id] ?? `[${id}]`)
        .join(""),
    );
  return (
    <ol className={styles.texts}>
      {preview.inputs.map((input, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other name
        <li key={index}>{read(input)}</li>
      ))}
    </ol>
  );
}

const MOST_COLUMNS = 24;

function Rows({ entry, preview }: Props) {
  const t = useText().data;
  const width = Math.min(MOST_COLUMNS, flat(preview.inputs[0]).length);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section className={styles.rows} tabIndex={0} aria-label={t.preview}>
      <Table striped verticalSpacing={4} className={styles.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.target}</Table.Th>
            {Array.from({ length: width }, (_, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a column is its index
              <Table.Th key={column}>x[{column}]</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {preview.inputs.map((input, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other name
            <Table.Tr key={index}>
              <Table.Td className={styles.target}>{targetText(entry, preview.targets[index])}</Table.Td>
              {flat(input)
                .slice(0, width)
                .map((value, column) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: a column is its index
                  <Table.Td key={column}>{shortNumber(value)}</Table.Td>
                ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
