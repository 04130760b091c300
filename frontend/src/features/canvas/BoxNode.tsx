import type { NodeProps } from "@xyflow/react";
import { ChevronDown, Plus } from "lucide-react";
import { memo } from "react";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { toggleCollapsed } from "@/model/edit";
import { BOX, MOST_ROWS, type Row, rows } from "@/model/geometry";
import { bare, isContainer, kindOf, lastOf, parentOf } from "@/model/members";
import { timesText } from "@/model/repeat";
import { qualified, resultText } from "@/model/report";
import { reflowed } from "@/model/room";
import { apply, currentDoc } from "@/model/store";
import type { Item } from "@/model/types";
import { placeIn, selectItem, useView } from "@/model/view";
import styles from "./Canvas.module.css";
import { useLookup } from "./catalogue";
import { categoryColour, memberCategory } from "./categories";
import type { FlowNode } from "./flow";
import { useKindName } from "./kinds";
import { Foot, InHandles, OutHandles, SharedSign } from "./LayerNode";
import { useCanvas } from "./state";

/** A container as a titled box with its items stacked inside, in the order in which data runs through them. */
export const BoxNode = memo(function BoxNode({ id, data, selected }: NodeProps<FlowNode>) {
  const t = useText().editor;
  const kindName = useKindName();
  const box = data.box;
  const over = useCanvas((state) => (state.over?.kind === "box" && state.over.node === id ? state.over : null));
  const hinted = useView((state) => state.hinted.has(id));
  const item = useView((state) => (state.selection.has(id) ? state.item : null));
  if (!box) return null;
  const lines = rows(box.items, data.member, BOX.title + BOX.pad);
  return (
    <section
      className={styles.box}
      data-node-id={id}
      data-member={data.member}
      data-selected={(selected && item === null) || undefined}
      data-hinted={hinted || undefined}
      data-severity={data.severity ?? data.inside?.severity}
      data-box={data.member}
      data-when={data.when ?? undefined}
      data-over={over?.path === data.member || undefined}
      style={{ "--cat": categoryColour("container") } as React.CSSProperties}
      title={data.reason || undefined}
    >
      <InHandles data={data} />
      <div className={styles.boxTitle} style={{ height: BOX.title }}>
        <button
          type="button"
          className={`${styles.fold} nodrag`}
          aria-label={t.node.fold(data.member)}
          onClick={() => {
            const place = placeIn(useView.getState().trail, currentDoc());
            apply(
              ({ editor: t }) => t.steps.fold,
              (doc) => reflowed(doc, toggleCollapsed(doc, place.block, id), place.block),
            );
          }}
        >
          <ChevronDown size={14} aria-hidden />
        </button>
        <span className={styles.label}>{kindName(box.kind)}</span>
        <span className={styles.member}>{data.member}</span>
        <SharedSign count={data.shared} />
      </div>
      {lines.rows.map((row) => (
        <BoxRow key={row.path} row={row} node={id} selected={item === row.path} wrong={data.wrong.includes(row.path)} />
      ))}
      {over && <DropLine top={dropY(lines.rows, over.path, over.index, lines.bottom)} />}
      {box.items.length > MOST_ROWS && (
        <div className={styles.more} style={{ top: lines.bottom }}>
          {t.node.more(box.items.length - MOST_ROWS)}
        </div>
      )}
      <div className={styles.boxFoot} style={{ height: BOX.footer }}>
        {box.items.length === 0 ? <span className={styles.hint}>{t.node.dropHere}</span> : <Foot data={data} />}
      </div>
      <OutHandles data={data} />
    </section>
  );
});

/** Where the line stands that shows the place of a drop. */
function dropY(lines: readonly Row[], path: string, index: number, bottom: number): number {
  const own = lines.filter((row) => parentOf(row.path) === path);
  const at = own[index];
  if (at) return at.y - BOX.gap / 2;
  const last = own.at(-1);
  return last ? last.y + last.extent + BOX.gap / 2 : bottom - BOX.gap;
}

function DropLine({ top }: { top: number }) {
  return <div className={styles.dropLine} style={{ top: top - 1 }} aria-hidden />;
}

/** Label, category and colour of an item. */
function useItemLook(item: Item): { label: string; category: string } {
  const lookup = useLookup();
  const kindName = useKindName();
  const it = bare(item);
  if (it.kind === "layer") {
    const entry = lookup(it.target);
    return { label: entry?.label ?? lastOf(it.target), category: entry?.category ?? "shape" };
  }
  return { label: kindName(kindOf(it)), category: memberCategory(it) };
}

function BoxRow(props: { row: Row; node: string; selected: boolean; wrong: boolean }) {
  const { row, node, selected, wrong } = props;
  const look = useItemLook(row.item);
  const instance = useView((state) => state.trail.at(-1)?.instance ?? "");
  const name = qualified(instance, row.path);
  const shape = useCheck((state) => resultText(state.report?.modules[name]?.output, state.report?.totals.batch ?? 0));
  const inner = bare(row.item);
  const nested = isContainer(inner);
  const times = row.item.kind === "repeat" ? ` × ${timesText(row.item)}` : "";
  const inset = BOX.pad + row.depth * BOX.indent;
  return (
    <div
      className={nested ? styles.nested : styles.rowFrame}
      style={{ top: row.y, left: inset, right: inset, height: row.extent }}
      data-row-of={parentOf(row.path)}
      {...(nested ? { "data-box": row.path } : {})}
    >
      <button
        type="button"
        className={`${styles.row} nodrag`}
        style={{ height: row.height, "--cat": categoryColour(look.category) } as React.CSSProperties}
        data-item={row.path}
        data-selected={selected || undefined}
        data-wrong={wrong || undefined}
        data-opaque={inner.kind === "opaque" || undefined}
        onClick={(event) => {
          event.stopPropagation();
          selectItem(node, row.path);
        }}
      >
        <span className={styles.rowName}>{inner.name}</span>
        <span className={styles.rowLabel}>
          {look.label}
          {times}
        </span>
        <span className={styles.rowShape}>{shape}</span>
        {nested && inner.items.length === 0 && <Plus size={12} aria-hidden />}
      </button>
    </div>
  );
}
