import type { NodeProps } from "@xyflow/react";
import { ArrowDownFromLine, ArrowDownToLine } from "lucide-react";
import { memo } from "react";
import { useText } from "@/i18n";
import styles from "./Canvas.module.css";
import type { FlowNode } from "./flow";
import { InHandles, OutHandles } from "./LayerNode";

/** Where data enters and leaves the block. */
export const TerminalNode = memo(function TerminalNode({ id, data, selected }: NodeProps<FlowNode>) {
  const t = useText().editor.node;
  const Icon = data.kind === "input" ? ArrowDownFromLine : ArrowDownToLine;
  return (
    <div
      className={styles.terminal}
      data-node-id={id}
      data-selected={selected || undefined}
      data-severity={data.severity ?? undefined}
      title={data.reason || undefined}
    >
      <InHandles data={data} />
      <Icon size={14} aria-hidden className={styles.terminalIcon} />
      <span className={styles.terminalName}>{data.kind === "input" ? data.member : t.output}</span>
      <span className={styles.terminalShape}>{data.shape}</span>
      <OutHandles data={data} />
    </div>
  );
});
