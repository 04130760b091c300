import "@xyflow/react/dist/style.css";
import "./categories.css";
import {
  Background,
  BackgroundVariant,
  type Connection,
  type FinalConnectionState,
  MarkerType,
  MiniMap,
  type NodeChange,
  Panel,
  ReactFlow,
  SelectionMode,
} from "@xyflow/react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { connect } from "@/model/connect";
import { place as placeNodes, wouldCycle } from "@/model/graph";
import { apply, currentDoc, useDoc, useDocument } from "@/model/store";
import type { Block, Position } from "@/model/types";
import { placeIn, select, useView } from "@/model/view";
import { Arranging } from "./Arranging";
import { BoxNode } from "./BoxNode";
import styles from "./Canvas.module.css";
import { CanvasMenu } from "./CanvasMenu";
import { ConnectDialog } from "./ConnectDialog";
import { useLookup } from "./catalogue";
import { openSelected } from "./commands";
import { dropNode, isLoose, moveKey, targetAt } from "./drop";
import { EmptyHint } from "./EmptyHint";
import { createBuilder, type FlowEdge, type FlowNode } from "./flow";
import { GroupDialog } from "./GroupDialog";
import { LayerNode } from "./LayerNode";
import { QuickAddSearch } from "./QuickAddSearch";
import { ShapeEdge } from "./ShapeEdge";
import { hover, useCanvas } from "./state";
import { TerminalNode } from "./TerminalNode";
import { Tools } from "./Tools";
import { Trail } from "./Trail";
import { useCanvasActions } from "./useCanvasActions";
import { useShortcuts } from "./useShortcuts";

const nodeTypes = { layer: LayerNode, box: BoxNode, terminal: TerminalNode };
const edgeTypes = { shape: ShapeEdge };
const defaultEdge = {
  markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color: "var(--ll-line-strong)" },
};
/** Of the overview, in pixels. */
const MINIMAP = { width: 150, height: 104 };
const NO_DRAG: ReadonlyMap<string, Position> = new Map();

const settle = () => useDocument.getState().settle();

/** The graph of the block that is shown. */
export function Canvas() {
  const t = useText().editor;
  const doc = useDoc();
  const trail = useView((state) => state.trail);
  const place = useMemo(() => placeIn(trail, doc), [trail, doc]);
  const report = useCheck((state) => state.report);
  const pending = useCheck((state) => state.pending);
  const lookup = useLookup();
  const selection = useView((state) => state.selection);
  const chosenEdges = useView((state) => state.edges);
  const [drag, setDrag] = useState(NO_DRAG);
  const [refusal, setRefusal] = useState<string | null>(null);
  const root = useRef<HTMLDivElement>(null);

  const builder = useMemo(createBuilder, []);
  const scene = useMemo(() => builder({ doc, place, lookup, report }), [builder, doc, place, lookup, report]);
  const gliding = useCanvas((state) => state.gliding);
  const nodes = useSelected(scene.nodes, selection, drag.size > 0 ? drag : gliding);
  const edges = useMemo(
    () => scene.edges.map((edge) => (chosenEdges.has(edge.id) ? { ...edge, selected: true } : edge)),
    [scene.edges, chosenEdges],
  );

  useCanvasActions(scene, root);
  useShortcuts(root);

  const onNodesChange = useCallback(
    (changes: NodeChange<FlowNode>[]) => {
      const moving = new Map<string, Position>();
      const landed: { [id: string]: Position } = {};
      let chosen: Set<string> | null = null;
      for (const change of changes) {
        if (change.type === "position" && change.position) {
          if (change.dragging) moving.set(change.id, change.position);
          else landed[change.id] = { x: Math.round(change.position.x), y: Math.round(change.position.y) };
        } else if (change.type === "select") {
          chosen ??= new Set(useView.getState().selection);
          if (change.selected) chosen.add(change.id);
          else chosen.delete(change.id);
        }
      }
      if (moving.size > 0) setDrag((before) => new Map([...before, ...moving]));
      // Arrow keys end here, too: they move without dragging.
      if (Object.keys(landed).length > 0) {
        const ids = Object.keys(landed);
        apply(t.steps.move(ids.length), (it) => placeNodes(it, place.block, landed), moveKey(ids));
        setDrag(NO_DRAG);
      }
      if (chosen) useView.setState({ selection: chosen, item: null });
    },
    [place.block, t],
  );

  const onConnect = useCallback(
    (made: Connection) => {
      const source = scene.nodes.find((node) => node.id === made.source);
      const target = scene.nodes.find((node) => node.id === made.target);
      const out = source?.data.outputs.find((port) => port.name === made.sourceHandle);
      const into = target?.data.inputs.find((port) => port.name === made.targetHandle);
      if (!out || !into) return;
      apply(t.steps.connect, (it) =>
        connect(it, place.block, { id: made.source, path: out.path }, made.target, into.name, into.many),
      );
    },
    [scene.nodes, place.block, t],
  );

  const isValid = useCallback(
    (made: Connection | FlowEdge) =>
      !wouldCycle((currentDoc().blocks[place.block] as Block).forward, made.source, made.target),
    [place.block],
  );

  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      if (state.toNode && state.isValid === false) {
        setRefusal(state.toNode.id === state.fromNode?.id ? t.canvas.toItself : t.canvas.cycle);
        return;
      }
      if (state.isValid || state.toNode || !state.fromNode || !state.fromHandle?.id) return;
      const point = "changedTouches" in event ? event.changedTouches[0] : event;
      if (!point) return;
      const from = { node: state.fromNode.id, handle: state.fromHandle.id, side: state.fromHandle.type };
      useCanvas.setState({ quick: { x: point.clientX, y: point.clientY, from } });
    },
    [t],
  );
  useEffect(() => {
    if (refusal === null) return;
    const timer = setTimeout(() => setRefusal(null), 3500);
    return () => clearTimeout(timer);
  }, [refusal]);

  const onDrag = (event: MouseEvent | TouchEvent | React.MouseEvent, node: FlowNode, all: FlowNode[]) => {
    if (!("clientX" in event) || all.length !== 1 || event.altKey || node.type === "terminal") return hover(null);
    const over = targetAt(event.clientX, event.clientY, node.id);
    const fits = over?.kind === "box" || isLoose(currentDoc(), place.block, node.id);
    hover(fits ? over : null);
  };
  const onDragStop = (_: unknown, node: FlowNode) => {
    const { over } = useCanvas.getState();
    if (over) dropNode(place.block, node.id, over, t.steps.insert);
    hover(null);
    settle();
  };
  // What is done with another selection is another gesture.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the change that counts
  useEffect(settle, [selection]);

  return (
    // biome-ignore lint/a11y/useSemanticElements: there is no element for a drawing area that takes keys
    <div
      ref={root}
      className={styles.root}
      data-testid="canvas"
      data-pending={pending || undefined}
      data-block={place.block}
      role="region"
      aria-label={t.canvas.label}
      tabIndex={-1}
      onPointerDownCapture={(event) => {
        // The pane keeps presses to itself, so that the field one was in would go on taking the keys.
        const { currentTarget } = event;
        if (!currentTarget.contains(document.activeElement)) currentTarget.focus({ preventScroll: true });
      }}
      onDoubleClick={(event) => {
        const onPane = event.target instanceof Element && event.target.classList.contains("react-flow__pane");
        if (onPane) useCanvas.setState({ quick: { x: event.clientX, y: event.clientY } });
      }}
      onKeyUp={settle}
      onPointerMove={(event) => useCanvas.setState({ pointer: { x: event.clientX, y: event.clientY } })}
      onPointerLeave={() => useCanvas.setState({ pointer: null })}
    >
      <ReactFlow<FlowNode, FlowEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        defaultEdgeOptions={defaultEdge}
        onNodesChange={onNodesChange}
        onEdgesChange={(changes) => {
          const chosen = new Set(useView.getState().edges);
          for (const change of changes)
            if (change.type === "select") change.selected ? chosen.add(change.id) : chosen.delete(change.id);
          useView.setState({ edges: chosen });
        }}
        onConnect={onConnect}
        onConnectEnd={onConnectEnd}
        isValidConnection={isValid}
        onNodeDragStart={settle}
        onSelectionDragStart={settle}
        onNodeDrag={onDrag}
        onNodeDragStop={onDragStop}
        onNodeClick={(event, node) => {
          // A press inside a selection keeps it, to drag it; a click without one means this node alone, and no item of it.
          const added = event.shiftKey || event.ctrlKey || event.metaKey;
          const { selection: all, item } = useView.getState();
          if (!added && (all.size > 1 || item !== null)) select([node.id]);
        }}
        onNodeDoubleClick={(_, node) => {
          select([node.id], useView.getState().item);
          openSelected();
        }}
        onPaneContextMenu={(event) => {
          event.preventDefault();
          useCanvas.setState({ menu: { x: event.clientX, y: event.clientY, node: null } });
        }}
        onNodeContextMenu={(event, node) => {
          event.preventDefault();
          if (!useView.getState().selection.has(node.id)) select([node.id]);
          useCanvas.setState({ menu: { x: event.clientX, y: event.clientY, node: node.id } });
        }}
        onEdgeContextMenu={(event, edge) => {
          event.preventDefault();
          useView.setState({ selection: new Set(), item: null, edges: new Set([edge.id]) });
          useCanvas.setState({ menu: { x: event.clientX, y: event.clientY, node: null } });
        }}
        onSelectionContextMenu={(event) => {
          event.preventDefault();
          useCanvas.setState({ menu: { x: event.clientX, y: event.clientY, node: null } });
        }}
        deleteKeyCode={null}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Control", "Meta", "Shift"]}
        selectionMode={SelectionMode.Partial}
        zoomOnDoubleClick={false}
        connectionRadius={28}
        minZoom={0.05}
        maxZoom={2}
        onlyRenderVisibleElements
        elevateNodesOnSelect={false}
        nodesFocusable
        edgesFocusable={false}
        ariaLabelConfig={t.flow}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.4} />
        <MiniMap pannable zoomable style={MINIMAP} ariaLabel={t.canvas.minimap} />
        <Panel position="top-left">
          <Trail />
        </Panel>
        <Panel position="bottom-left">
          <Tools />
        </Panel>
        <EmptyHint block={place.block} nodes={scene.nodes} />
      </ReactFlow>
      {refusal && (
        <div className={styles.refusal} role="status">
          {refusal}
        </div>
      )}
      <Arranging />
      <QuickAddSearch nodes={scene.nodes} />
      <CanvasMenu />
      <GroupDialog />
      <ConnectDialog nodes={scene.nodes} />
    </div>
  );
}

/** Nodes with what a drag and the selection add; those that neither touches stay the same objects. */
function useSelected(
  nodes: FlowNode[],
  selection: ReadonlySet<string>,
  drag: ReadonlyMap<string, Position>,
): FlowNode[] {
  const made = useRef(new Map<string, { base: FlowNode; node: FlowNode }>());
  return useMemo(() => {
    const next = new Map<string, { base: FlowNode; node: FlowNode }>();
    const out = nodes.map((base) => {
      const position = drag.get(base.id) ?? base.position;
      const selected = selection.has(base.id);
      const before = made.current.get(base.id);
      const kept =
        before && before.base === base && before.node.selected === selected && before.node.position === position;
      const node = kept ? before.node : { ...base, position, selected };
      next.set(base.id, { base, node });
      return node;
    });
    made.current = next;
    return out;
  }, [nodes, selection, drag]);
}
