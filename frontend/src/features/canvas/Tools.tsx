import { ActionIcon, Tooltip } from "@mantine/core";
import { useReactFlow } from "@xyflow/react";
import { Maximize, Minus, Network, Plus } from "lucide-react";
import { useText } from "@/i18n";
import styles from "./Canvas.module.css";
import { commands } from "./commands";

export function Tools() {
  const t = useText().editor;
  const { zoomIn, zoomOut } = useReactFlow();
  const run = (id: string) => () =>
    void commands(t)
      .find((command) => command.id === id)
      ?.run();
  const tools = [
    { label: t.canvas.zoomIn, Icon: Plus, run: () => void zoomIn({ duration: 120 }) },
    { label: t.canvas.zoomOut, Icon: Minus, run: () => void zoomOut({ duration: 120 }) },
    { label: `${t.commands.fit} (F)`, Icon: Maximize, run: run("fit") },
    { label: `${t.commands.layout} (L)`, Icon: Network, run: run("layout") },
  ];
  return (
    <div className={styles.tools}>
      {tools.map(({ label, Icon, run: act }) => (
        <Tooltip key={label} label={label} position="right">
          <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={act}>
            <Icon size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}
