import { Kbd } from "@mantine/core";
import { ViewportPortal } from "@xyflow/react";
import { useText } from "@/i18n";
import { useDocument } from "@/model/store";
import styles from "./Canvas.module.css";
import type { FlowNode } from "./flow";

/** Between the hint and the nodes, in canvas pixels. */
const BESIDE = 40;

/** What to do with a block that holds nothing yet. It stands beside the inputs and the output, and goes where they go. */
export function EmptyHint({ block, nodes }: { block: string; nodes: readonly FlowNode[] }) {
  const t = useText().editor.canvas;
  const empty = useDocument((state) => state.loaded && state.history.doc.blocks[block]?.forward.nodes.length === 0);
  if (!empty) return null;
  const right = Math.max(0, ...nodes.map((node) => node.position.x + node.data.size.width));
  const tops = nodes.map((node) => node.position.y);
  const bottoms = nodes.map((node) => node.position.y + node.data.size.height);
  const middle = nodes.length > 0 ? (Math.min(...tops) + Math.max(...bottoms)) / 2 : 0;
  return (
    <ViewportPortal>
      <div
        className={styles.empty}
        style={{ transform: `translate(${right + BESIDE}px, ${middle}px) translateY(-50%)` }}
        data-testid="empty-hint"
      >
        <strong>{t.empty}</strong>
        <span>
          {t.emptyHint} <Kbd>/</Kbd>
        </span>
      </div>
    </ViewportPortal>
  );
}
