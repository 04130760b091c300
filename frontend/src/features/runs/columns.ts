import { create } from "zustand";
import { persist } from "zustand/middleware";

/** In the order of the table; how each is sorted is told in table.ts, how it looks in RunCell. */
export const COLUMN_IDS = [
  "state",
  "name",
  "model",
  "dataset",
  "best",
  "loss",
  "epochs",
  "parameters",
  "time",
  "created",
] as const;
export type ColumnId = (typeof COLUMN_IDS)[number];

/** Least width in pixels, and the share of what is left over. */
const WIDTHS: Record<ColumnId, { least: number; share?: number }> = {
  state: { least: 144 },
  name: { least: 180, share: 2 },
  model: { least: 100, share: 1 },
  dataset: { least: 100, share: 1 },
  best: { least: 132, share: 1 },
  loss: { least: 92 },
  epochs: { least: 84 },
  parameters: { least: 104 },
  time: { least: 84 },
  created: { least: 104 },
};
/** Numbers stand with their digits below one another. */
const NUMBERS: readonly ColumnId[] = ["loss", "epochs", "parameters", "time"];
export const isNumber = (column: ColumnId): boolean => NUMBERS.includes(column);

/** The boxes that select a row, and the buttons that delete it. */
const [TICK, DELETE] = [40, 44];

/** The name leads to the run, so that it cannot be left out. */
export const canHide = (column: ColumnId): boolean => column !== "name";

/** Which columns a person does without; the same after a reload. */
export const useHiddenColumns = create(
  persist((): { hidden: ColumnId[] } => ({ hidden: [] }), { name: "layerloom.runs.columns", version: 1 }),
);

export const shownColumns = (hidden: readonly ColumnId[]): ColumnId[] =>
  COLUMN_IDS.filter((column) => !canHide(column) || !hidden.includes(column));

export function toggleColumn(column: ColumnId) {
  useHiddenColumns.setState(({ hidden }) => ({
    hidden: hidden.includes(column) ? hidden.filter((one) => one !== column) : [...hidden, column],
  }));
}

/** The widths of a row's cells for CSS grid, and the least width of the whole. */
export function layout(shown: readonly ColumnId[]): { template: string; least: number } {
  const widths = shown.map((column) => WIDTHS[column]);
  const cells = widths.map(({ least, share }) => (share ? `minmax(${least}px, ${share}fr)` : `${least}px`));
  return {
    template: [`${TICK}px`, ...cells, `${DELETE}px`].join(" "),
    least: widths.reduce((sum, { least }) => sum + least, TICK + DELETE),
  };
}
