import { getNodesBounds, getViewportForBounds, useReactFlow, type Viewport } from "@xyflow/react";
import { type RefObject, useCallback, useEffect, useRef } from "react";
import { useText } from "@/i18n";
import type { Size } from "@/model/geometry";
import { isUnplaced, placeKnown, viewOf } from "@/model/graph";
import { sizeOf } from "@/model/spots";
import { apply, currentDoc, placeSilently, useDocument } from "@/model/store";
import type { Position } from "@/model/types";
import { placeIn, useView } from "@/model/view";
import { toast } from "@/ui/Toasts";
import { lookup } from "./catalogue";
import type { FlowEdge, FlowNode } from "./flow";
import { glide } from "./glide";
import { arrange, arrangeSome } from "./layout";
import { setCanvasActions } from "./selected";
import { useCanvas } from "./state";

const FIT = { padding: 0.1, maxZoom: 1, duration: 180 };
/** The smallest zoom at which a node's text can be read. */
const READABLE = 0.45;
/** Between the window's edge and what is brought into it. */
const MARGIN = 24;
type Scene = { nodes: FlowNode[]; edges: FlowEdge[] };
/** A view, and the nodes that it was made to show; null for all of them. */
type Fitted = { view: Viewport; ids: readonly string[] | null };

/** Lends the commands what only the canvas can do, and brings nodes into view that others point at. */
export function useCanvasActions(scene: Scene, root: RefObject<HTMLDivElement | null>): void {
  const t = useText().editor;
  const flow = useReactFlow();
  const latest = useRef(scene);
  latest.current = scene;
  const opened = useDocument((state) => state.opened);
  const trail = useView((state) => state.trail);
  const focus = useView((state) => state.focus);
  // What was shown last, and how: whoever has not moved the view since sees it again when the canvas changes its size.
  const fitted = useRef<Fitted | null>(null);
  const showAll = useCallback(
    (nodes: readonly FlowNode[], duration = FIT.duration, ids: readonly string[] | null = null) => {
      // From the sizes that are known, because React Flow hears of new places a frame later.
      const { width = 0, height = 0 } = root.current?.getBoundingClientRect() ?? {};
      const bounds = getNodesBounds([...nodes]);
      if (nodes.length === 0 || width === 0) return;
      const whole = getViewportForBounds(bounds, width, height, 0.05, FIT.maxZoom, FIT.padding);
      // Something just opened that would be too small to read whole is shown from its beginning.
      const begin = duration === 0 && whole.zoom < READABLE;
      const x = width / 2 - (bounds.x + bounds.width / 2) * READABLE;
      const view = begin ? { x, y: 32 - bounds.y * READABLE, zoom: READABLE } : whole;
      fitted.current = { view, ids };
      void flow.setViewport(view, { duration });
    },
    [flow, root],
  );

  const showSome = useCallback(
    (ids: readonly string[]) =>
      showAll(
        latest.current.nodes.filter((node) => ids.includes(node.id)),
        FIT.duration,
        ids,
      ),
    [showAll],
  );

  useEffect(() => {
    const { current } = root;
    if (!current) return;
    const observer = new ResizeObserver(() => {
      const last = fitted.current;
      if (!last || !sameView(last.view, flow.getViewport())) return;
      const { ids } = last;
      showAll(ids ? latest.current.nodes.filter((node) => ids.includes(node.id)) : latest.current.nodes, 0, ids);
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [flow, root, showAll]);

  const complain = useCallback(
    (_: unknown) => {
      toast(t.canvas.layoutFailed, t.canvas.layoutFailedHint);
      return null;
    },
    [t],
  );

  useEffect(() => {
    const middle = (): Position => {
      const { left = 0, top = 0, width = 0, height = 0 } = root.current?.getBoundingClientRect() ?? {};
      return { x: left + width / 2, y: top + height / 2 };
    };
    setCanvasActions({
      fit: () => showAll(latest.current.nodes),
      zoomToSelection: () => showSome([...useView.getState().selection]),
      layout: async (ids) => {
        useCanvas.getState().arranging?.abort();
        const arranging = new AbortController();
        useCanvas.setState({ arranging });
        const before = shown();
        const { nodes, edges } = latest.current;
        const some = ids && nodes.filter((node) => ids.includes(node.id));
        const computing = some ? arrangeSome(some, edges, arranging.signal) : arrange(nodes, edges, arranging.signal);
        const positions = await computing.catch((error) => (arranging.signal.aborted ? null : complain(error)));
        if (useCanvas.getState().arranging === arranging) useCanvas.setState({ arranging: null });
        // The user may have gone elsewhere while a large graph was laid out.
        if (!positions || arranging.signal.aborted || shown() !== before) return;
        const old = viewOf(currentDoc(), blockHere()).positions;
        apply(
          ({ editor: t }) => t.steps.layout,
          (doc) => placeKnown(doc, blockHere(), positions),
        );
        glide(old, positions);
        if (!ids) showAll(latest.current.nodes.map((node) => moved(node, positions)));
      },
      pointAt: (screen) => flow.screenToFlowPosition(screen ?? middle()),
      reveal: (id) => {
        const { width = 0, height = 0 } = root.current?.getBoundingClientRect() ?? {};
        const doc = currentDoc();
        const at = viewOf(doc, blockHere()).positions[id];
        if (!at) return;
        const view = flow.getViewport();
        const { x, y } = broughtIn(view, { ...at, ...sizeOf(doc, blockHere(), id, lookup) }, { width, height });
        if (x !== view.x || y !== view.y) void flow.setViewport({ ...view, x, y }, { duration: FIT.duration });
      },
      quickAdd: () => useCanvas.setState({ quick: { ...(useCanvas.getState().pointer ?? middle()), byKey: true } }),
    });
    return () => setCanvasActions(null);
  }, [flow, root, showAll, showSome, complain]);

  // A document or block that was just opened is shown whole, and laid out if nobody ever placed its nodes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once per opened block, not per edit
  useEffect(() => {
    if (opened === 0) return;
    const doc = currentDoc();
    const { block } = placeIn(trail, doc);
    const bare = isUnplaced(doc, block);
    let stale = false;
    const settle = async () => {
      const before = JSON.stringify(flow.getViewport());
      const found = bare ? await arrange(latest.current.nodes, latest.current.edges).catch(complain) : null;
      const positions = found ?? {};
      if (stale) return;
      if (bare) placeSilently(block, positions);
      const placedNodes = latest.current.nodes.map((node) => moved(node, positions));
      // Somebody who has gone to a node while a large graph was laid out follows it to its place.
      const followed = placedNodes.filter((node) => useView.getState().selection.has(node.id));
      if (bare && JSON.stringify(flow.getViewport()) !== before) showAll(followed, 1);
      else showAll(placedNodes, 0);
    };
    void settle();
    return () => {
      stale = true;
    };
  }, [opened, trail]);

  useEffect(() => {
    if (focus) showSome([focus.id]);
  }, [focus, showSome]);
}

/** Whether a view is still the one that it was set to, but for rounding. */
export const sameView = (left: Viewport, right: Viewport): boolean =>
  Math.abs(left.x - right.x) < 1 && Math.abs(left.y - right.y) < 1 && Math.abs(left.zoom - right.zoom) < 0.001;

/** A view moved just so far that something on the canvas lies inside the window, a little from its edges. */
export function broughtIn(view: Viewport, it: Position & Size, window: Size): Position {
  const shift = (from: number, length: number, room: number) => {
    const over = from + length + MARGIN - room;
    return from < MARGIN ? MARGIN - from : over > 0 ? -Math.min(over, from - MARGIN) : 0;
  };
  return {
    x: view.x + shift(view.x + it.x * view.zoom, it.width * view.zoom, window.width),
    y: view.y + shift(view.y + it.y * view.zoom, it.height * view.zoom, window.height),
  };
}

const moved = (node: FlowNode, positions: { [id: string]: Position }): FlowNode => ({
  ...node,
  position: positions[node.id] ?? node.position,
});

const blockHere = () => placeIn(useView.getState().trail, currentDoc()).block;
/** Which block of which document is on the screen. */
const shown = () => `${useDocument.getState().opened} ${blockHere()}`;
