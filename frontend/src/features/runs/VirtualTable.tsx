import { useVirtualizer } from "@tanstack/react-virtual";
import { type CSSProperties, type ReactNode, useRef } from "react";
import { Sparkline } from "@/features/charts/Sparkline";
import grid from "./Rows.module.css";
import styles from "./VirtualTable.module.css";

const ROW = 34;

interface Props {
  label: string;
  /** Tracks of the grid that every row is, and the width below which the table scrolls sideways. */
  columns: string;
  least: number;
  /** Cells of the heading. */
  head: ReactNode;
  count: number;
  /** A `Row` that stands at `start`, with a key of its own. */
  row: (index: number, start: number) => ReactNode;
  /** Below the heading, when there are no rows. */
  none?: ReactNode;
}

/** A table of any number of rows, of which only those in sight exist. */
export function VirtualTable({ label, columns, least, head, count, row, none }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section className={grid.scroll} ref={scroll} tabIndex={0} aria-label={label}>
      <table className={styles.table} style={{ "--columns": columns, minWidth: least } as CSSProperties}>
        <thead>
          <tr>{head}</tr>
        </thead>
        <tbody style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => row(item.index, item.start))}
        </tbody>
      </table>
      {count === 0 && none}
    </section>
  );
}

/** One row, `start` pixels below the heading. */
export function Row({ start, selected, children }: { start: number; selected: boolean; children: ReactNode }) {
  return (
    <tr style={{ translate: `0 ${start}px`, height: ROW }} data-selected={selected || undefined}>
      {children}
    </tr>
  );
}

/** The name of what a row is about, which selects it. */
export function RowName(props: {
  name: string;
  selected: boolean;
  onSelect: (name: string) => void;
  children: ReactNode;
}) {
  const { name, selected, onSelect, children } = props;
  return (
    <button type="button" className={styles.name} title={name} aria-pressed={selected} onClick={() => onSelect(name)}>
      {children}
    </button>
  );
}

/** The course of a value over the run, and what it is now. */
export function Course(props: { values?: Float64Array | undefined; label: string; children: ReactNode }) {
  return (
    <span className={styles.course}>
      {props.values && <Sparkline values={props.values} label={props.label} />}
      {props.children}
    </span>
  );
}
