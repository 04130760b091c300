import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { useKindName } from "@/features/canvas/kinds";
import { useText } from "@/i18n/whole";
import { viridis } from "@/lib/colormap";
import { shortNumber } from "@/lib/format";
import { BOX, handleX } from "@/model/geometry";
import styles from "./GraphPanel.module.css";
import type { MeasuredFlowNode, MeasuredRow } from "./measured";
import type { Reading } from "./readings";

/** A node with the colour of what is measured, and the numbers as its tooltip. */
export const MeasuredNode = memo(function MeasuredNode({ id, data }: NodeProps<MeasuredFlowNode>) {
  const t = useText();
  const kindName = useKindName();
  const { reading, share, inputs, outputs, size } = data;
  const label = { layer: kindName(data.label), box: kindName(data.label), input: t.runs.graph.input, output: "" }[
    data.kind
  ];
  return (
    <div
      className={styles.node}
      style={{ width: size.width, height: size.height, ...colour(share) }}
      data-measured={share === null ? undefined : ""}
      data-graph-node={id}
      data-broken={isBroken(reading) || undefined}
      title={reading ? numbers(reading, t.runs) : undefined}
    >
      {inputs.map((port, index) => (
        <Handle
          key={port.name}
          id={port.name}
          type="target"
          position={Position.Top}
          className={styles.handle}
          style={{ left: handleX(size.width, index, inputs) }}
        />
      ))}
      <span className={styles.head}>
        <b>{label || t.runs.graph.output}</b> <code>{data.member}</code>
      </span>
      {data.rows.map((row) => (
        <Row key={row.path} row={row} />
      ))}
      <span className={styles.value}>{reading && shown(reading, t.runs)}</span>
      {outputs.map((port, index) => (
        <Handle
          key={port.name}
          id={port.name}
          type="source"
          position={Position.Bottom}
          className={styles.handle}
          style={{ left: handleX(size.width, index, outputs) }}
        />
      ))}
    </div>
  );
});

/** The colour of a share of the scale, for the style sheet. */
const colour = (share: number | null) =>
  (share === null ? {} : { "--norm": `rgb(${viridis(share).join(" ")})` }) as React.CSSProperties;

function Row({ row }: { row: MeasuredRow }) {
  const t = useText().runs;
  const kindName = useKindName();
  const left = BOX.pad + 12 + row.depth * BOX.indent;
  return (
    <div
      className={styles.row}
      style={{ top: row.y, left, right: BOX.pad, height: row.height, ...colour(row.share) }}
      data-measured={row.share === null ? undefined : ""}
      data-broken={isBroken(row.reading) || undefined}
      title={row.reading ? numbers(row.reading, t) : undefined}
    >
      <span className={styles.head}>
        <code>{row.name}</code> {kindName(row.label)}
      </span>
      <span className={styles.value}>{row.reading && shown(row.reading, t)}</span>
    </div>
  );
}

/** Whether a number was NaN or infinite. */
const isBroken = (reading: Reading | null) => reading !== null && !Number.isFinite(reading.value);

type Words = ReturnType<typeof useText>["runs"];

function shown({ value, whole }: Reading, t: Words): string {
  if (!Number.isFinite(value)) return t.layers.nonfinite;
  return whole ? `${shortNumber(100 * value)}%` : shortNumber(value);
}

function numbers({ norms, activity }: Reading, t: Words): string {
  const lines: string[] = [];
  if (norms) {
    lines.push(
      `${t.parameters.gradient} ${shortNumber(norms.gradient)}`,
      `${t.parameters.weight} ${shortNumber(norms.weight)}`,
      `${t.parameters.update} ${shortNumber(norms.update)}`,
      `${t.parameters.ratio} ${shortNumber(norms.update / norms.weight)}`,
      t.graph.count(norms.parameters),
    );
  }
  if (activity) {
    lines.push(
      `${t.layers.mean} ${shortNumber(activity.mean)}`,
      `${t.layers.std} ${shortNumber(activity.std)}`,
      `${t.layers.zeros} ${shortNumber(100 * activity.zeros)}%`,
      `${t.layers.dead} ${t.layers.deadOf(activity.dead, activity.units)}`,
    );
  }
  return lines.join("\n");
}
