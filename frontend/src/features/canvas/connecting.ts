/** Drawing a connection: what cannot take it, what a drop on a node's body means, and why one is refused. */
import type { Texts } from "@/i18n";
import { downstream, edges, NEW_OUTPUT, OUTPUT, upstream } from "@/model/graph";
import { type InPort, portOf } from "@/model/ports";
import type { Graph } from "@/model/types";
import type { FlowNode } from "./flow";

/** The handle from which a connection is drawn. */
export type End = { node: string; handle: string; side: "source" | "target" };

const facing = ({ data }: FlowNode, side: End["side"]) => (side === "source" ? data.inputs : data.outputs);

/** Nodes that a connection cannot lead to: data would run in a circle, or there is no port that faces it. */
export function closedTo(graph: Graph, nodes: readonly FlowNode[], from: End): ReadonlySet<string> {
  const circle = from.side === "source" ? upstream(graph, from.node) : downstream(graph, from.node);
  return new Set(nodes.flatMap((node) => (circle.has(node.id) || facing(node, from.side).length === 0 ? node.id : [])));
}

/** The port that a drop on a node's body means: the first that waits for a value, or the only one; null if that is not clear. */
export function portMeant(graph: Graph, node: FlowNode, side: End["side"]): string | null {
  if (side === "target") return only(node.data.outputs);
  const inputs = node.data.inputs.filter((port) => port.name !== NEW_OUTPUT);
  const required = inputs.filter((port) => port.required);
  const fed = new Set(edges(graph).flatMap((edge) => (edge.target === node.id ? portOf(graph, edge) : [])));
  const waiting = required.find((port: InPort) => port.many || !fed.has(port.name));
  return waiting?.name ?? only(required) ?? only(inputs);
}

const only = (ports: readonly { name: string }[]): string | null =>
  ports.length === 1 ? (ports[0]?.name ?? null) : null;

/** Why a connection between two nodes is refused. `sameSide`: the drop was on a handle that faces the same way. */
export function refusedBecause(from: FlowNode, to: FlowNode, side: End["side"], sameSide: boolean, t: Texts["editor"]) {
  const { refused } = t.canvas;
  const name = ({ id, data }: FlowNode) => data.member || data.label || (id === OUTPUT ? t.node.output : id);
  if (sameSide) return side === "source" ? refused.outputs : refused.inputs;
  if (from.id === to.id) return refused.toItself;
  if (facing(to, side).length === 0) return side === "source" ? refused.noInput(name(to)) : refused.noOutput(name(to));
  const [first, last] = side === "source" ? [to, from] : [from, to];
  return refused.cycle(name(first), name(last));
}
