import { Kbd } from "@mantine/core";
import { Workflow } from "lucide-react";
import { useText } from "@/i18n";
import { useDocument } from "@/model/store";
import { Empty } from "@/ui/States";
import styles from "./Canvas.module.css";

/** What to do with a block that holds nothing yet. */
export function EmptyHint({ block }: { block: string }) {
  const t = useText().editor.canvas;
  const empty = useDocument((state) => state.loaded && state.history.doc.blocks[block]?.forward.nodes.length === 0);
  if (!empty) return null;
  return (
    <div className={styles.empty} data-testid="empty-hint">
      <Empty icon={<Workflow size={28} aria-hidden />} title={t.empty}>
        {t.emptyHint} <Kbd>/</Kbd>
      </Empty>
    </div>
  );
}
