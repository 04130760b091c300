import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { useKindName } from "@/features/canvas/kinds";
import { useText } from "@/i18n";
import { viridis } from "@/lib/colormap";
import { shortNumber } from "@/lib/format";
import { BOX, handleX } from "@/model/geometry";
import styles from "./GraphPanel.module.css";
import type { MeasuredFlowNode, MeasuredRow } from "./measured";
import type { NodeNorms } from "./norms";

/** A node with the colour of its gradient norm, and the numbers as its tooltip. */
export const MeasuredNode = memo(function MeasuredNode({ id, data }: NodeProps<MeasuredFlowNode>) {
  const t = useText();
  const kindName = useKindName();
  const { norms, share, inputs, outputs, size } = data;
  const label = { layer: kindName(data.label), box: kindName(data.label), input: t.runs.graph.input, output: "" }[
    data.kind
  ];
  return (
    <div
      className={styles.node}
      style={{ width: size.width, height: size.height, ...colour(share) }}
      data-measured={share === null ? undefined : ""}
      data-graph-node={id}
      title={norms ? numbers(norms, t.runs) : undefined}
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
      <span className={styles.value}>{norms && shortNumber(norms.gradient)}</span>
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
      title={row.norms ? numbers(row.norms, t) : undefined}
    >
      <span className={styles.head}>
        <code>{row.name}</code> {kindName(row.label)}
      </span>
      <span className={styles.value}>{row.norms && shortNumber(row.norms.gradient)}</span>
    </div>
  );
}

function numbers({ gradient, weight, update, parameters }: NodeNorms, t: ReturnType<typeof useText>["runs"]): string {
  return [
    `${t.parameters.gradient} ${shortNumber(gradient)}`,
    `${t.parameters.weight} ${shortNumber(weight)}`,
    `${t.parameters.update} ${shortNumber(update)}`,
    `${t.parameters.ratio} ${shortNumber(update / weight)}`,
    t.graph.count(parameters),
  ].join("\n");
}
