import { type Connection, type FinalConnectionState, type OnConnectStartParams, useStoreApi } from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useText } from "@/i18n";
import { connect } from "@/model/connect";
import { wouldCycle } from "@/model/graph";
import { apply, currentDoc } from "@/model/store";
import type { Block } from "@/model/types";
import { closedTo, type End, portMeant, refusedBecause } from "./connecting";
import type { FlowEdge, FlowNode } from "./flow";
import { useCanvas } from "./state";

/** What a connection that is drawn cannot lead to; where it comes from stays in sight. */
export type Mark = "origin" | "closed";

/** How long a refusal can be read. */
const REFUSAL_MS = 5_000;

/** Connecting by a drag from a handle: to another one, onto a node's body, or onto the empty canvas. Escape gives it up. */
export function useConnecting(nodes: readonly FlowNode[], block: string) {
  const t = useText().editor;
  const [from, setFrom] = useState<End | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);

  const flow = useStoreApi();
  /** React Flow ends a drag that was given up as any other, at the next move. */
  const givenUp = useRef(false);

  const marks = useMemo(() => {
    const closed = from ? [...closedTo(graphOf(block), nodes, from)] : [];
    return new Map(closed.map((id): [string, Mark] => [id, id === from?.node ? "origin" : "closed"]));
  }, [from, nodes, block]);

  const onConnect = useCallback(
    (made: Connection) => {
      const source = nodes.find((node) => node.id === made.source);
      const target = nodes.find((node) => node.id === made.target);
      const out = source?.data.outputs.find((port) => port.name === made.sourceHandle);
      const into = target?.data.inputs.find((port) => port.name === made.targetHandle);
      if (!out || !into || givenUp.current) return;
      apply(
        ({ editor: t }) => t.steps.connect,
        (it) => connect(it, block, { id: made.source, path: out.path }, made.target, into.name, into.many),
      );
    },
    [nodes, block],
  );

  const isValidConnection = useCallback(
    (made: Connection | FlowEdge) => !wouldCycle(graphOf(block), made.source, made.target),
    [block],
  );

  const onConnectStart = useCallback((_: unknown, { nodeId, handleId, handleType }: OnConnectStartParams) => {
    givenUp.current = false;
    setRefusal(null);
    setFrom(nodeId && handleId && handleType ? { node: nodeId, handle: handleId, side: handleType } : null);
  }, []);

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      setFrom(null);
      const start = nodes.find((node) => node.id === state.fromNode?.id);
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (givenUp.current || state.isValid || !start || !state.fromHandle?.id || !point) return;
      const { type: side, id: handle } = state.fromHandle;
      const refuse = (to: FlowNode, sameSide = false) => setRefusal(refusedBecause(start, to, side, sameSide, t));
      const at = nodes.find((node) => node.id === state.toNode?.id);
      if (at) return refuse(at, state.toHandle?.type === side);

      const under = document.elementFromPoint(point.clientX, point.clientY);
      const body = under?.closest<HTMLElement>("[data-node-id]")?.dataset.nodeId;
      const on = nodes.find((node) => node.id === body);
      const end: End = { node: start.id, handle, side };
      if (!on) {
        const onCanvas = under?.closest(".react-flow__pane, .react-flow__edge");
        if (onCanvas) useCanvas.setState({ quick: { x: point.clientX, y: point.clientY, from: end } });
        return;
      }
      // Back where it came from: the connection is not wanted after all.
      if (on === start) return;
      if (closedTo(graphOf(block), nodes, end).has(on.id)) return refuse(on);
      const port = portMeant(graphOf(block), on, side);
      const made =
        side === "source"
          ? { source: start.id, sourceHandle: handle, target: on.id, targetHandle: port }
          : { source: on.id, sourceHandle: port, target: start.id, targetHandle: handle };
      if (port === null) setRefusal(t.canvas.refused.unclear);
      else onConnect(made);
    },
    [nodes, block, onConnect, t],
  );

  useEffect(() => {
    if (!from) return;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      givenUp.current = true;
      flow.getState().cancelConnection();
      setFrom(null);
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [from, flow]);

  useEffect(() => {
    if (refusal === null) return;
    const timer = setTimeout(() => setRefusal(null), REFUSAL_MS);
    return () => clearTimeout(timer);
  }, [refusal]);

  return { marks, side: from?.side, refusal, on: { onConnectStart, onConnect, onConnectEnd, isValidConnection } };
}

const graphOf = (block: string) => (currentDoc().blocks[block] as Block).forward;
