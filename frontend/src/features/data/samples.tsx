import { Table } from "@mantine/core";
import type { DatasetEntry, DatasetPreview } from "@/api/types";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import { range } from "@/lib/range";
import { sampleKind, targetText } from "./kinds";
import { Pictures } from "./Pictures";
import styles from "./samples.module.css";

/** Samples of a data set as what they are. */
export function Samples({ entry, preview, features }: Props) {
  switch (sampleKind(entry)) {
    case "image":
      return (
        <Pictures
          pictures={preview.pictures}
          labels={preview.pictures.map((_, index) => targetText(entry, preview.targets[index]))}
        />
      );
    case "sequence":
      return <Sequences entry={entry} preview={preview} />;
    case "text":
      return <Texts entry={entry} preview={preview} />;
    case "tokens":
      return <Tokens entry={entry} preview={preview} />;
    case "row":
      return <Rows entry={entry} preview={preview} features={features} />;
  }
}

interface Props {
  entry: DatasetEntry;
  preview: DatasetPreview;
  /** What each number of a row is, where that is known. */
  features?: string[] | undefined;
}

const flat = (value: unknown): number[] => (Array.isArray(value) ? value.flatMap(flat) : [Number(value)]);

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
        <li key={index}>{preview.texts[index] === undefined ? read(input) : visible(preview.texts[index])}</li>
      ))}
    </ol>
  );
}

/** Texts, each with what it is a sample of. */
function Texts({ entry, preview }: Props) {
  return (
    <dl className={styles.labelled}>
      {preview.texts.map((text, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: samples have no other name
        <div key={index}>
          <dt>{targetText(entry, preview.targets[index])}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

const MOST_COLUMNS = 24;

function Rows({ entry, preview, features }: Props) {
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
              <Table.Th key={column}>{features?.[column] ?? `x[${column}]`}</Table.Th>
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
