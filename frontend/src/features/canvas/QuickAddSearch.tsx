import { FocusTrap } from "@mantine/core";
import { useClickOutside } from "@mantine/hooks";
import { useReactFlow } from "@xyflow/react";
import { remember } from "@/features/palette/recent";
import { useText } from "@/i18n";
import { connect } from "@/model/connect";
import { changeGraph, nodeAt, place } from "@/model/graph";
import { runningWith } from "@/model/nodes";
import { portsOf } from "@/model/ports";
import { centredOn, sizeOf } from "@/model/spots";
import { apply, currentDoc } from "@/model/store";
import type { Block, Doc, Position } from "@/model/types";
import { placeIn, select, useView } from "@/model/view";
import { addByHand } from "./adding";
import styles from "./Canvas.module.css";
import { lookup } from "./catalogue";
import { categoryColour } from "./categories";
import type { FlowNode } from "./flow";
import { SearchList } from "./SearchList";
import { search } from "./search";
import { here } from "./selected";
import { type QuickAdd, useCanvas } from "./state";
import { addStep, addThing, type Listed } from "./things";
import { axesOf, useSuggested } from "./useSuggested";
import { useThings } from "./useThings";
import { called, isWritten } from "./written";

const SHOWN = 60;

/** The search that opens on the canvas; what it adds stands where it opened, connected to where it came from. */
export function QuickAddSearch({ nodes }: { nodes: readonly FlowNode[] }) {
  const quick = useCanvas((state) => state.quick);
  return quick ? <Open key={`${quick.x},${quick.y}`} quick={quick} nodes={nodes} /> : null;
}

const close = () => useCanvas.setState({ quick: null });

/** What can take or give the value that the dragged connection carries. */
function fits(listed: Listed, side: "source" | "target" | undefined): boolean {
  const { thing } = listed;
  if (side === undefined) return true;
  if (thing.kind === "layer" || thing.kind === "operation")
    return (side === "source" ? thing.entry.inputs : thing.entry.outputs).length > 0 || thing.kind === "layer";
  return side === "source" ? thing.kind === "container" || thing.kind === "block" : true;
}

/** The node whose value a new one would take. */
function sourceOf(quick: QuickAdd): string | null {
  if (quick.from) return quick.from.side === "source" ? quick.from.node : null;
  const { ids } = here();
  return quick.byKey && ids.length === 1 ? (ids[0] ?? null) : null;
}

function Open({ quick, nodes }: { quick: QuickAdd; nodes: readonly FlowNode[] }) {
  const t = useText().editor;
  const { layers, operations, structure } = useThings();
  const { screenToFlowPosition } = useReactFlow();
  // Before the pane, which keeps presses to itself.
  const frame = useClickOutside(close, ["pointerdown"], undefined, true, true);
  const all = [...layers, ...structure, ...operations].filter((listed) => fits(listed, quick.from?.side));
  const source = sourceOf(quick);
  const suggested = useSuggested(all, source);
  const axes = source === null ? null : axesOf(source);

  const matching = (query: string): Listed[] => {
    if (isWritten(query)) return called(all, query, currentDoc());
    return query.trim() ? search(all, query, axes) : suggested;
  };

  const add = (listed: Listed) => {
    close();
    if (quick.byKey) return addByHand(listed, quick);
    const { block } = placeIn(useView.getState().trail, currentDoc());
    const point = screenToFlowPosition(quick);
    let id = "";
    apply(addStep(listed), (doc) => {
      const added = addThing(doc, block, listed.thing, point);
      id = added.id;
      const made = quick.from ? linked(added.doc, block, id, quick.from, nodes) : added.doc;
      return place(made, block, { [id]: cornerFor(made, block, id, point, quick) });
    });
    if (id) select([id]);
    remember(listed.id);
  };

  const left = Math.min(quick.x, window.innerWidth - 336);
  const top = Math.min(quick.y, window.innerHeight - 400);
  return (
    <FocusTrap innerRef={frame}>
      <div
        className={styles.quick}
        style={{ left, top }}
        role="dialog"
        aria-label={t.canvas.quickAdd}
        data-testid="quick-add"
      >
        <SearchList
          label={t.canvas.quickAdd}
          placeholder={t.palette.search}
          nothing={(query) => (isWritten(query) ? t.palette.asInPython : t.palette.nothing)}
          testId="quick-add-search"
          onClose={close}
          find={(query) =>
            matching(query)
              .slice(0, SHOWN)
              .map((listed) => ({
                id: listed.id,
                label: listed.label,
                from: listed.from,
                hint: t.categories[listed.category as keyof typeof t.categories] ?? listed.category,
                colour: categoryColour(listed.category),
                run: () => add(listed),
              }))
          }
        />
      </div>
    </FocusTrap>
  );
}

/** The port to which the connection leads lies where it was dropped; without one, the node's middle. */
function cornerFor(doc: Doc, block: string, id: string, point: Position, { from }: QuickAdd): Position {
  const middle = centredOn(doc, block, id, point, lookup);
  const { height } = sizeOf(doc, block, id, lookup);
  if (!from) return middle;
  return { x: middle.x, y: Math.round(from.side === "source" ? point.y : point.y - height) };
}

/** The new node connected with the handle from which the connection was drawn. */
function linked(
  doc: Doc,
  block: string,
  id: string,
  from: NonNullable<QuickAdd["from"]>,
  nodes: readonly FlowNode[],
): Doc {
  const its = doc.blocks[block] as Block;
  const made = nodeAt(its.forward, id);
  const other = nodes.find((node) => node.id === from.node)?.data;
  if (!other) return doc;
  const ports = made ? portsOf(doc, its, made, lookup, []) : { inputs: [], outputs: [{ name: "output", path: [] }] };
  if (from.side === "source") {
    const out = other.outputs.find((port) => port.name === from.handle);
    const [into] = ports.inputs;
    if (!out || !into) return doc;
    const fed = connect(doc, block, { id: from.node, path: out.path }, id, into.name, into.many);
    return changeGraph(fed, block, (graph) => runningWith(graph, id, from.node));
  }
  const into = other.inputs.find((port) => port.name === from.handle);
  const [out] = ports.outputs;
  return into && out ? connect(doc, block, { id, path: out.path }, from.node, into.name, into.many) : doc;
}
