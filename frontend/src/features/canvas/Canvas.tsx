import "@xyflow/react/dist/style.css";
import "./categories.css";
import {
  Background,
  BackgroundVariant,
  MarkerType,
  type NodeChange,
  Panel,
  ReactFlow,
  type ReactFlowState,
  SelectionMode,
  useReactFlow,
  useStore,
} from "@xyflow/react";
import { Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { place as placeNodes } from "@/model/graph";
import { apply, currentDoc, useDoc, useDocument } from "@/model/store";
import type { Position } from "@/model/types";
import { focusNode, placeIn, select, useView } from "@/model/view";
import { apart, useArrived } from "@/ui/apart";
import { Arranging } from "./Arranging";
import { BoxNode } from "./BoxNode";
import styles from "./Canvas.module.css";
import { useLookup } from "./catalogue";
import { openSelected } from "./commands";
import { dropNode, isLoose, moveKey, targetAt } from "./drop";
import { EmptyHint } from "./EmptyHint";
import { FAR, FarView } from "./FarView";
import { createBuilder, type FlowEdge, type FlowNode } from "./flow";
import { useKindName } from "./kinds";
import { LayerNode } from "./LayerNode";
import { Overview } from "./Overview";
import { ShapeEdge } from "./ShapeEdge";
import { cardAt, sketched } from "./sketch";
import { hover, useCanvas } from "./state";
import { TerminalNode } from "./TerminalNode";
import { Tools } from "./Tools";
import { Trail } from "./Trail";
import { useCanvasActions } from "./useCanvasActions";
import { type Mark, useConnecting } from "./useConnecting";
import { useShortcuts } from "./useShortcuts";

const Overlays = apart(async () => (await import("./Overlays")).Overlays);

const nodeTypes = { layer: LayerNode, box: BoxNode, terminal: TerminalNode };
const edgeTypes = { shape: ShapeEdge };
const arrow = (color: string) => ({ markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14, color } });
const defaultEdge = arrow("var(--ll-line-strong)");
const badEdge = arrow("var(--ll-bad)");
const chosenEdge = { ...arrow("var(--ll-accent)"), selected: true };
const NO_DRAG: ReadonlyMap<string, Position> = new Map();
const NO_NODES: FlowNode[] = [];
const NO_EDGES: FlowEdge[] = [];
/** What hangs on a handle or moves stays an element of the page until it is let go. */
const isFar = ({ transform, connection }: ReactFlowState): boolean => transform[2] < FAR && !connection.inProgress;

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
  const root = useRef<HTMLDivElement>(null);
  const flow = useReactFlow();

  const builder = useMemo(createBuilder, []);
  const { edge: edgeName } = t.canvas;
  const scene = useMemo(
    () => builder({ doc, place, lookup, report, edgeName }),
    [builder, doc, place, lookup, report, edgeName],
  );
  const gliding = useCanvas((state) => state.gliding);
  const connecting = useConnecting(scene.nodes, place.block);
  const nodes = useSelected(scene.nodes, selection, drag.size > 0 ? drag : gliding, connecting.marks);
  const edges = useMemo(
    () =>
      scene.edges.map((edge) => {
        if (edge.data?.reason) return { ...edge, ...badEdge, selected: chosenEdges.has(edge.id) };
        return chosenEdges.has(edge.id) ? { ...edge, ...chosenEdge } : edge;
      }),
    [scene.edges, chosenEdges],
  );

  const far = useStore(isFar) && drag === NO_DRAG;
  const kindName = useKindName();
  const terminal = useText().editor.node.output;
  const sketch = useMemo(
    () => sketched(scene.nodes, scene.edges, ({ data }) => nameOf(data, kindName, terminal)),
    [scene, kindName, terminal],
  );
  /** The node that is painted under a point of the screen. */
  const painted = (event: { clientX: number; clientY: number }) =>
    far ? cardAt(sketch, flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })) : undefined;

  const overlaid = useCanvas(({ quick, menu, dialog }) => quick !== null || menu !== null || dialog !== null);
  const overlays = useArrived(Overlays) || overlaid;
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
        apply(
          ({ editor: t }) => t.steps.move(ids.length),
          (it) => placeNodes(it, place.block, landed),
          moveKey(ids),
        );
        setDrag(NO_DRAG);
      }
      if (chosen) useView.setState({ selection: chosen, item: null });
    },
    [place.block],
  );

  const onDrag = (event: MouseEvent | TouchEvent | React.MouseEvent, node: FlowNode, all: FlowNode[]) => {
    if (!("clientX" in event) || all.length !== 1 || event.altKey || node.type === "terminal") return hover(null);
    const over = targetAt(event.clientX, event.clientY, node.id);
    const fits = over?.kind === "box" || isLoose(currentDoc(), place.block, node.id);
    hover(fits ? over : null);
  };
  const onDragStop = (event: MouseEvent | TouchEvent | React.MouseEvent, node: FlowNode) => {
    const { over } = useCanvas.getState();
    // Alt may have been pressed after the last move.
    if (over && !event.altKey) dropNode(place.block, node.id, over, ({ editor }) => editor.steps.insert);
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
      data-connecting={connecting.side}
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
        const node = painted(event);
        if (onPane && node) focusNode(node.id);
        else if (onPane) useCanvas.setState({ quick: { x: event.clientX, y: event.clientY } });
      }}
      onKeyUp={settle}
      onPointerMove={(event) => useCanvas.setState({ pointer: { x: event.clientX, y: event.clientY } })}
      onPointerLeave={() => useCanvas.setState({ pointer: null })}
    >
      <ReactFlow<FlowNode, FlowEdge>
        nodes={far ? NO_NODES : nodes}
        edges={far ? NO_EDGES : edges}
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
        {...connecting.on}
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
        onPaneClick={(event) => {
          if (!far) return;
          const node = painted(event);
          if (node && (event.shiftKey || event.ctrlKey || event.metaKey)) {
            const { selection: all } = useView.getState();
            select(all.has(node.id) ? [...all].filter((id) => id !== node.id) : [...all, node.id]);
          } else select(node ? [node.id] : []);
        }}
        onPaneContextMenu={(event) => {
          event.preventDefault();
          const node = painted(event)?.id ?? null;
          if (node && !useView.getState().selection.has(node)) select([node]);
          useCanvas.setState({ menu: { x: event.clientX, y: event.clientY, node } });
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
        {far && <FarView sketch={sketch} />}
        <Overview sketch={sketch} />
        <Panel position="top-left">
          <Trail />
        </Panel>
        <Panel position="bottom-left">
          <Tools />
        </Panel>
        <EmptyHint block={place.block} nodes={scene.nodes} />
      </ReactFlow>
      <div className={styles.refusal} role="status" data-testid="refusal">
        {connecting.refusal}
      </div>
      <Arranging />
      {overlays && (
        <Suspense fallback={null}>
          <Overlays nodes={scene.nodes} />
        </Suspense>
      )}
    </div>
  );
}

type Made = { base: FlowNode; node: FlowNode };

/** Nodes with what a drag, the selection and a connection that is drawn add; those that none touches stay the same objects. */
function useSelected(
  nodes: FlowNode[],
  selection: ReadonlySet<string>,
  drag: ReadonlyMap<string, Position>,
  marks: ReadonlyMap<string, Mark>,
): FlowNode[] {
  const made = useRef(new Map<string, Made>());
  return useMemo(() => {
    const next = new Map<string, Made>();
    const out = nodes.map((base) => {
      const position = drag.get(base.id) ?? base.position;
      const selected = selection.has(base.id);
      const mark = marks.get(base.id);
      const className = mark ? (styles[mark] ?? "") : "";
      const before = made.current.get(base.id);
      const kept =
        before &&
        before.base === base &&
        before.node.selected === selected &&
        before.node.position === position &&
        before.node.className === className;
      const node = kept ? before.node : { ...base, position, selected, className };
      next.set(base.id, { base, node });
      return node;
    });
    made.current = next;
    return out;
  }, [nodes, selection, drag, marks]);
}

/** What a node is called where there is room for one word. */
const nameOf = (data: FlowNode["data"], kindName: (kind: string) => string, output: string): string =>
  data.kind === "input" ? data.member : data.kind === "output" ? output : kindName(data.label);
