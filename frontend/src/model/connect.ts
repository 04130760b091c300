/** Connecting and disconnecting: what a node or the output is given. */
import { portPlace } from "./cases";
import { changeGraph, changeNode, type Edge, NEW_OUTPUT, OUTPUT, refName, type Source, wouldCycle } from "./graph";
import { addOutput, setPart } from "./outputs";
import type { Doc, Path, Value } from "./types";
import { isRef, ref, replaced, valueAt, without } from "./values";

/**
 * Connects a result to a port: replaces what was there, or is added to a port that takes many. A case of a choice is a
 * port of its own, so that the other one stays.
 */
export function connect(doc: Doc, block: string, source: Source, target: string, port: string, many = false): Doc {
  const graph = doc.blocks[block]?.forward;
  if (!graph || wouldCycle(graph, source.id, target)) return doc;
  const value = ref(refName(source.id), source.path);
  if (target === OUTPUT && port === NEW_OUTPUT) return addOutput(doc, block, value);
  return changeGraph(doc, block, (it) => {
    if (target === OUTPUT) return { ...it, output: setPart(it.output, port, value) };
    return changeNode(it, target, (node) => {
      if (node.op === "get") return node;
      const { name, at } = portPlace(port);
      const before = node.arguments[name];
      const given = many ? added(before === undefined ? before : valueAt(before, at), value) : value;
      return { ...node, arguments: { ...node.arguments, [name]: replaced(before ?? null, at, given) } };
    });
  });
}

/** One more value for a port that takes many, as the list or tuple that is written there already. */
function added(before: Value | undefined, value: Value): Value {
  if (Array.isArray(before)) return [...before, value];
  if (typeof before === "object" && before !== null && "$tuple" in before) return { $tuple: [...before.$tuple, value] };
  return isRef(before) ? [before, value] : [value];
}

/** Takes one connection away; outputs keep their place, so that the others keep their numbers. */
export function disconnect(doc: Doc, block: string, target: string, at: Path): Doc {
  return changeGraph(doc, block, (graph) => {
    if (target === OUTPUT) return { ...graph, output: without(graph.output, at, true) ?? null };
    return changeNode(graph, target, (node) => {
      const [name, ...rest] = at;
      if (node.op === "get" || name === undefined) return node;
      const { [String(name)]: value, ...others } = node.arguments;
      const next = value === undefined ? undefined : without(value, rest);
      return { ...node, arguments: next === undefined ? others : { ...node.arguments, [String(name)]: next } };
    });
  });
}
export const disconnectEdge = (doc: Doc, block: string, edge: Edge): Doc =>
  disconnect(doc, block, edge.target, edge.at);
