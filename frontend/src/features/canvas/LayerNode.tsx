import { Tooltip } from "@mantine/core";
import { Handle, type NodeProps, Position } from "@xyflow/react";
import {
  Boxes,
  ChevronRight,
  CircleAlert,
  CornerDownRight,
  GraduationCap,
  Link2,
  Package,
  ScanEye,
  Split,
  TriangleAlert,
} from "lucide-react";
import { memo } from "react";
import { onlyText, portText } from "@/features/forms/conditions";
import { goTo } from "@/features/problems/goTo";
import { useText } from "@/i18n";
import { useSaid } from "@/i18n/said";
import { TRAINING } from "@/model/cases";
import { handleX } from "@/model/geometry";
import { OUTPUT } from "@/model/graph";
import { negated } from "@/model/values";
import { useView } from "@/model/view";
import styles from "./Canvas.module.css";
import { categoryColour } from "./categories";
import type { FlowNode, NodeData } from "./flow";
import { useKindName } from "./kinds";

/** A layer, operation, block or folded container: what it is, what it is called, what comes out. */
export const LayerNode = memo(function LayerNode({ id, data, selected }: NodeProps<FlowNode>) {
  const kindName = useKindName();
  const hinted = useView((state) => state.hinted.has(id));
  const opaque = useText().editor.structure.opaque.label;
  return (
    <div
      className={styles.node}
      data-node-id={id}
      data-member={data.member || undefined}
      data-selected={selected || undefined}
      data-hinted={hinted || undefined}
      data-severity={data.severity ?? data.inside?.severity}
      data-when={data.when ?? undefined}
      data-opaque={data.opaque || undefined}
      style={{ "--cat": categoryColour(data.category) } as React.CSSProperties}
      title={data.reason || undefined}
    >
      <InHandles data={data} />
      <div className={styles.head}>
        {data.opaque && <Package size={14} className={styles.open} aria-label={opaque} />}
        <span className={styles.label}>{kindName(data.label)}</span>
        {data.member && <span className={styles.member}>{data.member}</span>}
        <SharedSign count={data.shared} />
        {(data.block || data.collapsed) && <Boxes size={13} className={styles.open} aria-hidden />}
      </div>
      <div className={styles.detail}>{data.detail || "\u00a0"}</div>
      <Foot data={data} />
      <OutHandles data={data} />
    </div>
  );
});

/** What comes out, and when the node runs, if that is not always. */
export function Foot({ data }: { data: NodeData }) {
  return (
    <div className={styles.foot}>
      <Shape data={data} />
      {data.when !== null && <WhenSign when={data.when} />}
    </div>
  );
}

const WHEN_ICONS: { [test: string]: typeof Split } = { [TRAINING]: GraduationCap, [negated(TRAINING)]: ScanEye };

/** Tells that a node runs at times only. */
function WhenSign({ when }: { when: string }) {
  const t = useText().editor;
  const Icon = WHEN_ICONS[when] ?? Split;
  const text = onlyText(when, t.conditions);
  return (
    <Tooltip label={t.node.when(text)}>
      <span className={styles.when} data-testid="when" data-code={text === when || undefined}>
        <Icon size={12} aria-hidden />
        <span>{text}</span>
      </span>
    </Tooltip>
  );
}

/** Tells that other nodes call the same member. */
export function SharedSign({ count }: { count: number }) {
  const t = useText().editor.node;
  if (count < 2) return null;
  return (
    <Tooltip label={t.shared(count)}>
      <span className={styles.shared} data-testid="shared">
        <Link2 size={12} aria-label={t.shared(count)} />
        {count}
      </span>
    </Tooltip>
  );
}

/** The output shape, or the mark that something is wrong. */
export function Shape({ data }: { data: NodeData }) {
  const t = useText().editor;
  const said = useSaid();
  const { inside } = data;
  if (inside && !data.severity)
    return (
      <button
        type="button"
        className={`${styles.trouble} ${styles.inside} nodrag`}
        title={said(inside.message)}
        data-testid="problem-inside"
        onClick={(event) => {
          // The press is not meant for the node, which is no longer shown.
          event.stopPropagation();
          goTo(inside);
        }}
      >
        <CircleAlert size={12} aria-hidden /> <span>{t.node.problemInside}</span>
        <ChevronRight size={12} aria-hidden />
      </button>
    );
  if (data.severity) {
    const Icon = data.severity === "error" ? CircleAlert : TriangleAlert;
    return (
      <div className={styles.trouble}>
        <Icon size={12} aria-hidden /> <span>{data.reason || t.node.problem}</span>
      </div>
    );
  }
  return (
    <div className={styles.shape} data-shape={data.shape || undefined}>
      {data.shape && <CornerDownRight size={11} aria-hidden />}
      {data.shape}
    </div>
  );
}

export function InHandles({ data }: { data: NodeData }) {
  const t = useText().editor;
  const { inputs, size } = data;
  return inputs.map((port, index) => (
    <Handle
      key={port.name}
      id={port.name}
      type="target"
      position={Position.Top}
      className={styles.handle}
      style={{ left: handleX(size.width, index, inputs) }}
      role="img"
      aria-label={t.node.inputPort(portText(port, inputs, t.conditions), data.member || data.label)}
      data-port={port.name}
      data-side="input"
      data-optional={!port.required || undefined}
      {...(port.on ? { title: `${port.on.port}: ${port.on.test}` } : {})}
    >
      {inputs.length > 1 && port.name !== OUTPUT && (
        <span className={styles.portIn} data-case={port.on?.test}>
          {portText(port, inputs, t.conditions)}
        </span>
      )}
    </Handle>
  ));
}

export function OutHandles({ data }: { data: NodeData }) {
  const t = useText().editor.node;
  const { outputs, size } = data;
  return outputs.map((port, index) => (
    <Handle
      key={port.name}
      id={port.name}
      type="source"
      position={Position.Bottom}
      className={styles.handle}
      style={{ left: handleX(size.width, index, outputs) }}
      role="img"
      aria-label={t.outputPort(port.name, data.member || data.label)}
      data-port={port.name}
      data-side="output"
    >
      {outputs.length > 1 && <span className={styles.portOut}>{port.name}</span>}
    </Handle>
  ));
}
