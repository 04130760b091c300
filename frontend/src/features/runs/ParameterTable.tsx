import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { memo, useCallback, useMemo, useRef, useState } from "react";
import { Sparkline } from "@/features/charts/Sparkline";
import { useText } from "@/i18n";
import { shortNumber } from "@/lib/format";
import { NORMS, type Norm, type ParameterTracks } from "@/live/tracks";
import styles from "./ParameterTable.module.css";
import { type TreeRow, treeRows } from "./parameterTree";

interface Props {
  tracks: ParameterTracks;
  names: string[];
  selected: string | null;
  onSelect: (name: string) => void;
}

const ROW = 34;

/** The tree of parameters, each with the course and the present value of its norms. Only rows in sight exist. */
export function ParameterTable({ tracks, names, selected, onSelect }: Props) {
  const t = useText().runs.parameters;
  const scroll = useRef<HTMLDivElement>(null);
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => treeRows(names, folded), [names, folded]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 8,
  });
  const fold = useCallback((path: string) => setFolded((before) => toggled(before, path)), []);
  const titles: Record<Norm, string> = { gradient: t.gradient, weight: t.weight, update: t.update };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section className={styles.scroll} ref={scroll} tabIndex={0} aria-label={t.name}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t.name}</th>
            {NORMS.map((norm) => (
              <th key={norm} scope="col">
                {titles[norm]}
              </th>
            ))}
            <th scope="col">{t.ratio}</th>
          </tr>
        </thead>
        <tbody style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index] as TreeRow;
            return (
              <ParameterRow
                key={row.path}
                row={row}
                start={item.start}
                tracks={tracks}
                version={tracks.version}
                selected={row.path === selected}
                onSelect={onSelect}
                onFold={fold}
              />
            );
          })}
        </tbody>
      </table>
      {rows.length === 0 && <p className={styles.none}>{t.noMatch}</p>}
    </section>
  );
}

interface RowProps {
  row: TreeRow;
  start: number;
  tracks: ParameterTracks;
  /** The tracks are the same object; this tells that they have grown. */
  version: number;
  selected: boolean;
  onSelect: (name: string) => void;
  onFold: (path: string) => void;
}

const ParameterRow = memo(function ParameterRow({ row, start, tracks, selected, onSelect, onFold }: RowProps) {
  const t = useText().runs.parameters;
  const titles: Record<Norm, string> = { gradient: t.gradient, weight: t.weight, update: t.update };
  return (
    <tr style={{ translate: `0 ${start}px`, height: ROW }} data-selected={selected || undefined}>
      <td style={{ paddingLeft: 6 + row.depth * 14 }}>
        {row.parameter ? (
          <button
            type="button"
            className={styles.leaf}
            title={row.path}
            aria-pressed={selected}
            onClick={() => onSelect(row.path)}
          >
            {row.label}
          </button>
        ) : (
          <button type="button" className={styles.module} aria-expanded={!row.folded} onClick={() => onFold(row.path)}>
            {row.folded ? <ChevronRight size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />}
            {row.label}
          </button>
        )}
      </td>
      {NORMS.map((norm) => (
        <td key={norm}>
          {row.parameter && <NormCell tracks={tracks} name={row.path} norm={norm} title={titles[norm]} />}
        </td>
      ))}
      <td className={styles.number}>{row.parameter && shortNumber(ratio(tracks, row.path))}</td>
    </tr>
  );
});

function NormCell(props: { tracks: ParameterTracks; name: string; norm: Norm; title: string }) {
  const column = props.tracks.norms.get(props.name)?.[props.norm];
  const last = finite(column?.last());
  if (column === undefined || last === undefined) return <span className={styles.number}>–</span>;
  return (
    <span className={styles.norm}>
      <Sparkline values={column.view()} label={`${props.title}: ${shortNumber(last)}`} />
      <span className={styles.number}>{shortNumber(last)}</span>
    </span>
  );
}

function ratio(tracks: ParameterTracks, name: string): number | undefined {
  const columns = tracks.norms.get(name);
  const [update, weight] = [finite(columns?.update.last()), finite(columns?.weight.last())];
  return update === undefined || !weight ? undefined : update / weight;
}

const finite = (value: number | undefined) => (Number.isFinite(value) ? value : undefined);

function toggled(set: ReadonlySet<string>, item: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(item)) next.add(item);
  return next;
}
