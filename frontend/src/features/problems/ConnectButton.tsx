import { Button } from "@mantine/core";
import { Spline } from "lucide-react";
import type { Problem } from "@/api/types";
import { useCanvas } from "@/features/canvas/state";
import { useText } from "@/i18n";
import { currentDoc } from "@/model/store";
import { goTo } from "./goTo";
import { looseEnd } from "./place";

/** Where a connection is missing: chooses among all ports that may take the result that leads nowhere. */
export function ConnectButton({ problem }: { problem: Problem }) {
  const t = useText().editor;
  const source = looseEnd(problem, currentDoc());
  if (source === null) return null;
  const connect = () => {
    goTo({ ...problem, node: source, member: null });
    useCanvas.setState({ dialog: "connect" });
  };
  return (
    <Button
      size="compact-xs"
      variant="light"
      leftSection={<Spline size={12} aria-hidden />}
      onClick={connect}
      data-testid="connect-missing"
    >
      {t.commands.connectTo}
    </Button>
  );
}
