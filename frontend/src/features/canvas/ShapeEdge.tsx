import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import styles from "./Canvas.module.css";
import type { FlowEdge } from "./flow";
import { labelWidth } from "./label";
import { alongLane } from "./routes";
import { useCanvas } from "./state";

/** A connection with the shape of what flows through it. */
export const ShapeEdge = memo(function ShapeEdge(props: EdgeProps<FlowEdge>) {
  const { id, data, selected, sourceX, sourceY, targetX, targetY } = props;
  const over = useCanvas((state) => state.over?.kind === "edge" && state.over.id === id);
  const label = data?.label ?? "";
  const width = labelWidth(label);
  // While an end is dragged, the way that was found before may lead nowhere.
  const lane = targetY - sourceY > 60 ? data?.lane : undefined;
  const [path, at] = lane === undefined ? direct(props) : along(sourceX, sourceY, targetX, targetY, lane);
  return (
    <g
      className={styles.edge}
      data-edge={id}
      data-bad={data?.reason ? true : undefined}
      data-conditional={data?.conditional || undefined}
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
      {data?.reason && <title>{data.reason}</title>}
      {label && (
        <>
          <rect className={styles.edgeLabel} x={at.x - width / 2} y={at.y - 9} width={width} height={18} rx={5} />
          <text className={styles.edgeLabel} x={at.x} y={at.y} textAnchor="middle" dominantBaseline="central">
            {label}
          </text>
        </>
      )}
    </g>
  );
});

type Drawn = [path: string, label: { x: number; y: number }];

function direct(props: EdgeProps<FlowEdge>): Drawn {
  const [path, x, y] = getBezierPath(props);
  // Long edges carry their label near the target, away from the nodes that they pass.
  const far = Math.abs(props.targetY - props.sourceY) > 260;
  return [path, far ? { x: props.targetX, y: props.targetY - 20 } : { x, y }];
}

const along = (fromX: number, fromY: number, toX: number, toY: number, lane: number): Drawn => [
  alongLane(fromX, fromY, toX, toY, lane),
  { x: lane, y: (fromY + toY) / 2 },
];
