import { ActionIcon, Checkbox, Tooltip } from "@mantine/core";
import { type RowSelectionState, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, Trash2 } from "lucide-react";
import { useRef } from "react";
import type { RunSummary } from "@/api/types";
import { useText } from "@/i18n/whole";
import { NoHits } from "@/ui/States";
import { type ColumnId, isNumber, layout, shownColumns, useHiddenColumns } from "./columns";
import grid from "./Rows.module.css";
import { RunCell } from "./RunCell";
import styles from "./RunsTable.module.css";
import { isActive } from "./StateBadge";
import { columns, features, matches } from "./table";

interface Props {
  runs: RunSummary[];
  filter: string;
  selected: RowSelectionState;
  onSelect: (selected: RowSelectionState) => void;
  onDelete: (run: RunSummary) => void;
  /** Takes the filter away. */
  onClear: () => void;
}

const ROW = 44;

/** All runs, sorted and filtered. Only the rows in sight exist in the page. */
export function RunsTable({ runs, filter, selected, onSelect, onDelete, onClear }: Props) {
  const texts = useText();
  const t = texts.runs;
  const scroll = useRef<HTMLDivElement>(null);
  const table = useTable({
    features,
    columns,
    data: runs,
    getRowId: (run) => run.id,
    initialState: { sorting: [{ id: "created", desc: true }] },
    state: { globalFilter: filter, rowSelection: selected },
    onRowSelectionChange: (update) => onSelect(typeof update === "function" ? update(selected) : update),
    globalFilterFn: (row, _column, wanted: string) => matches(row.original, texts, wanted),
    getColumnCanGlobalFilter: () => true,
  });
  const { rows } = table.getRowModel();
  const shown = shownColumns(useHiddenColumns().hidden);
  const { template, least } = layout(shown);
  const headers = table.getFlatHeaders().filter((header) => shown.includes(header.id as ColumnId));
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
    <section className={grid.scroll} ref={scroll} tabIndex={0} aria-label={t.title}>
      <table className={styles.table} style={{ minWidth: least, "--columns": template } as React.CSSProperties}>
        <thead>
          <tr>
            <th scope="col">
              <Checkbox
                size="xs"
                aria-label={t.selectAll}
                checked={table.getIsAllRowsSelected()}
                indeterminate={table.getIsSomeRowsSelected() && !table.getIsAllRowsSelected()}
                onChange={table.getToggleAllRowsSelectedHandler()}
              />
            </th>
            {headers.map((header) => {
              const sorted = header.column.getIsSorted();
              return (
                <th
                  key={header.id}
                  scope="col"
                  aria-sort={sortName(sorted)}
                  data-column={header.id}
                  data-number={isNumber(header.id as ColumnId) || undefined}
                >
                  <button type="button" onClick={header.column.getToggleSortingHandler()}>
                    {t.columns[header.id as ColumnId]}
                    {sorted === "asc" && <ArrowUp size={13} aria-hidden />}
                    {sorted === "desc" && <ArrowDown size={13} aria-hidden />}
                  </button>
                </th>
              );
            })}
            <td aria-hidden="true" />
          </tr>
        </thead>
        <tbody style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            return (
              <tr
                key={row.id}
                style={{ translate: `0 ${item.start}px`, height: ROW }}
                data-run={row.id}
                data-selected={row.getIsSelected() || undefined}
              >
                <td>
                  <Checkbox
                    size="xs"
                    aria-label={t.select(row.original.name)}
                    checked={row.getIsSelected()}
                    onChange={row.getToggleSelectedHandler()}
                  />
                </td>
                {shown.map((column) => (
                  <RunCell key={column} run={row.original} column={column} />
                ))}
                <td>
                  <Delete run={row.original} onDelete={onDelete} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length === 0 && <NoHits onClear={onClear}>{t.noMatch}</NoHits>}
    </section>
  );
}

function sortName(sorted: false | "asc" | "desc") {
  if (sorted === false) return "none";
  return sorted === "asc" ? "ascending" : "descending";
}

function Delete({ run, onDelete }: { run: RunSummary; onDelete: (run: RunSummary) => void }) {
  const t = useText().runs;
  return (
    <Tooltip label={t.deleteOf(run.name)}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        className={styles.delete}
        aria-label={t.deleteOf(run.name)}
        disabled={isActive(run.state)}
        onClick={() => onDelete(run)}
      >
        <Trash2 size={14} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
