import { ChevronDown, ChevronRight } from "lucide-react";
import { memo, useCallback, useMemo, useState } from "react";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import { NORMS, type Norm, type ParameterTracks } from "@/live/tracks";
import { NoHits } from "@/ui/States";
import styles from "./ParameterTable.module.css";
import { type TreeRow, treeRows } from "./parameterTree";
import { Course, Row, RowName, VirtualTable } from "./VirtualTable";
import table from "./VirtualTable.module.css";

interface Props {
  tracks: ParameterTracks;
  names: string[];
  selected: string | null;
  onSelect: (name: string) => void;
  /** Takes the filter away. */
  onClear: () => void;
}

const COLUMNS = "minmax(110px, 1.2fr) repeat(3, minmax(146px, 1fr)) 84px";
const INDENT = 14;

/** The tree of parameters, each with the course and the present value of its norms. Only rows in sight exist. */
export function ParameterTable({ tracks, names, selected, onSelect, onClear }: Props) {
  const t = useText().runs.parameters;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => treeRows(names, folded), [names, folded]);
  const fold = useCallback((path: string) => setFolded((before) => toggled(before, path)), []);
  const titles: Record<Norm, string> = { gradient: t.gradient, weight: t.weight, update: t.update };
  return (
    <VirtualTable
      label={t.name}
      columns={COLUMNS}
      least={640}
      head={
        <>
          <th scope="col">{t.name}</th>
          {NORMS.map((norm) => (
            <th key={norm} scope="col">
              {titles[norm]}
            </th>
          ))}
          <th scope="col">{t.ratio}</th>
        </>
      }
      count={rows.length}
      row={(index, start) => {
        const row = rows[index] as TreeRow;
        return (
          <ParameterRow
            key={row.path}
            row={row}
            start={start}
            tracks={tracks}
            version={tracks.version}
            selected={row.path === selected}
            onSelect={onSelect}
            onFold={fold}
          />
        );
      }}
      none={<NoHits onClear={onClear}>{t.noMatch}</NoHits>}
    />
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
    <Row start={start} selected={selected}>
      <td style={{ paddingLeft: 6 + (row.depth + Number(row.parameter)) * INDENT }}>
        {row.parameter ? (
          <RowName name={row.path} selected={selected} onSelect={onSelect}>
            {row.label}
          </RowName>
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
      <td className={table.number}>{row.parameter && shortNumber(ratio(tracks, row.path))}</td>
    </Row>
  );
});

function NormCell(props: { tracks: ParameterTracks; name: string; norm: Norm; title: string }) {
  const column = props.tracks.norms.get(props.name)?.[props.norm];
  const { nonfinite } = useText().runs.layers;
  const last = finite(column?.last());
  if (column?.last() === Number.POSITIVE_INFINITY) return <span className={table.broken}>{nonfinite}</span>;
  if (column === undefined || last === undefined) return <span className={table.number}>–</span>;
  return (
    <Course values={column.view()} label={`${props.title}: ${shortNumber(last)}`}>
      {shortNumber(last)}
    </Course>
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
