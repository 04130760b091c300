import type { Edge, Node } from "@xyflow/react";
import type { FlowEdge, FlowNode, NodeData } from "@/features/canvas/flow";
import { BOX, rows } from "@/model/geometry";
import { bare, kindOf, lastOf } from "@/model/members";
import { logScale, wholeScale } from "./norms";
import type { Reading } from "./readings";

/** What was measured, and where it lies on the scale of the whole graph, 0 to 1; null where there is nothing. */
interface Coloured {
  reading: Reading | null;
  share: number | null;
}

/** A line of an open container. */
export interface MeasuredRow extends Coloured {
  path: string;
  name: string;
  label: string;
  y: number;
  height: number;
  depth: number;
}

export type Measured = Coloured &
  Pick<NodeData, "kind" | "label" | "member" | "inputs" | "outputs" | "size"> & {
    rows: MeasuredRow[];
    [key: string]: unknown;
  };
export type MeasuredFlowNode = Node<Measured, "measured">;

/**
 * What is drawn of a scene, coloured by a number of each member.
 *
 * @param read that number, @param whole whether it is a share of a whole; else the scale is logarithmic.
 */
export function measured(
  scene: { nodes: FlowNode[]; edges: FlowEdge[] },
  read: (member: string) => Reading | null,
  whole = false,
) {
  const found = new Map<string, Reading | null>();
  const known = (path: string) => {
    const one = found.get(path) ?? read(path);
    found.set(path, one);
    return one;
  };
  const lines = scene.nodes.map(({ data }) =>
    data.box ? rows(data.box.items, data.member, BOX.title + BOX.pad).rows : [],
  );
  const own = scene.nodes.map(({ data }) => (data.member && data.kind !== "input" ? known(data.member) : null));
  for (const row of lines.flat()) known(row.path);
  const scale = whole ? wholeScale : logScale([...found.values()].flatMap((one) => (one ? [one.value] : [])));
  const coloured = (one: Reading | null): Coloured => ({ reading: one, share: one && scale.share(one.value) });
  const nodes = scene.nodes.map((node, index): MeasuredFlowNode => {
    const { kind, label, member, inputs, outputs, size } = node.data;
    const its = (lines[index] ?? []).map(({ path, item, y, height, depth }) => {
      const inner = bare(item);
      return { path, name: lastOf(path), label: kindOf(inner), y, height, depth, ...coloured(known(path)) };
    });
    const data = { kind, label, member, inputs, outputs, size, rows: its, ...coloured(own[index] ?? null) };
    return { ...node, type: "measured", data };
  });
  const edges = scene.edges.map(
    ({ id, source, target, sourceHandle, targetHandle, data, ariaLabel }): Edge => ({
      id,
      ...(ariaLabel && { ariaLabel }),
      source,
      target,
      sourceHandle: sourceHandle ?? null,
      targetHandle: targetHandle ?? null,
      ...(data?.conditional ? { style: { strokeDasharray: "6 5" } } : {}),
    }),
  );
  return { nodes, edges, scale };
}
