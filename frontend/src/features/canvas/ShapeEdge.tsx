import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import styles from "./Canvas.module.css";
import type { FlowEdge } from "./flow";
import { useCanvas } from "./state";

/** Mean width of a digit in the label's font. Measuring thousands of labels would cost more than the error. */
const DIGIT = 6.7;

/** A connection with the shape of what flows through it. */
export const ShapeEdge = memo(function ShapeEdge(props: EdgeProps<FlowEdge>) {
  const { id, data, selected, sourceY, targetX, targetY } = props;
  const over = useCanvas((state) => state.over?.kind === "edge" && state.over.id === id);
  const [path, x, y] = getBezierPath(props);
  const label = data?.label ?? "";
  const width = label.length * DIGIT + 12;
  // Long edges carry their label near the target, away from the nodes that they pass.
  const far = Math.abs(targetY - sourceY) > 260;
  const at = far ? { x: targetX, y: targetY - 20 } : { x, y };
  return (
    <g
      className={styles.edge}
      data-edge={id}
      data-bad={data?.reason ? true : undefined}
      data-selected={selected || undefined}
      data-over={over || undefined}
      data-label={label}
    >
      <BaseEdge
        id={id}
        path={path}
        interactionWidth={24}
        {...(props.markerEnd ? { markerEnd: props.markerEnd } : {})}
      />
      <title>{data?.reason || label}</title>
      {label && (
        <g transform={`translate(${at.x} ${at.y})`} className={styles.edgeLabel}>
          <rect x={-width / 2} y={-9} width={width} height={18} rx={5} />
          <text textAnchor="middle" dominantBaseline="central">
            {label}
          </text>
        </g>
      )}
    </g>
  );
});
