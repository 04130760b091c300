import { CanvasMenu } from "./CanvasMenu";
import { ConnectDialog } from "./ConnectDialog";
import type { FlowNode } from "./flow";
import { GroupDialog } from "./GroupDialog";
import { QuickAddSearch } from "./QuickAddSearch";

/** All that opens over the canvas. */
export function Overlays({ nodes }: { nodes: readonly FlowNode[] }) {
  return (
    <>
      <QuickAddSearch nodes={nodes} />
      <CanvasMenu />
      <GroupDialog />
      <ConnectDialog nodes={nodes} />
    </>
  );
}
