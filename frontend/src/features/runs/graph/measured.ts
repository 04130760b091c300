import type { Edge, Node } from "@xyflow/react";
import type { FlowEdge, FlowNode, NodeData } from "@/features/canvas/flow";
import type { ParameterTracks } from "@/live/tracks";
import { BOX, rows } from "@/model/geometry";
import { bare, kindOf, lastOf } from "@/model/members";
import { logScale, memberNorms, type NodeNorms } from "./norms";

/** Norms, and where the gradient's lies on the scale of the whole graph, 0 to 1; null without parameters. */
interface Coloured {
  norms: NodeNorms | null;
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

/** What is drawn of a scene, coloured by the gradient norms of a sampled step. */
export function measured(scene: { nodes: FlowNode[]; edges: FlowEdge[] }, tracks: ParameterTracks, sample: number) {
  const found = new Map<string, NodeNorms | null>();
  const norms = (path: string) => {
    const known = found.get(path) ?? memberNorms(tracks, path, sample);
    found.set(path, known);
    return known;
  };
  const lines = scene.nodes.map(({ data }) =>
    data.box ? rows(data.box.items, data.member, BOX.title + BOX.pad).rows : [],
  );
  const own = scene.nodes.map(({ data }) => (data.member && data.kind !== "input" ? norms(data.member) : null));
  for (const row of lines.flat()) norms(row.path);
  const scale = logScale([...found.values()].flatMap((one) => (one ? [one.gradient] : [])));
  const coloured = (one: NodeNorms | null): Coloured => ({ norms: one, share: one && scale.share(one.gradient) });
  const nodes = scene.nodes.map((node, index): MeasuredFlowNode => {
    const { kind, label, member, inputs, outputs, size } = node.data;
    const its = (lines[index] ?? []).map(({ path, item, y, height, depth }) => {
      const inner = bare(item);
      return { path, name: lastOf(path), label: kindOf(inner), y, height, depth, ...coloured(norms(path)) };
    });
    const data = { kind, label, member, inputs, outputs, size, rows: its, ...coloured(own[index] ?? null) };
    return { ...node, type: "measured", data };
  });
  const edges = scene.edges.map(
    ({ id, source, target, sourceHandle, targetHandle, data }): Edge => ({
      id,
      source,
      target,
      sourceHandle: sourceHandle ?? null,
      targetHandle: targetHandle ?? null,
      ...(data?.conditional ? { style: { strokeDasharray: "6 5" } } : {}),
    }),
  );
  return { nodes, edges, scale };
}
