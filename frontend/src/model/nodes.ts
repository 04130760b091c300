/** Adding and removing what a graph is made of: layers, operations, inputs; and putting a node into an edge. */

import { dropMember } from "./arrange";
import { connect } from "./connect";
import {
  argumentsOf,
  changeBlock,
  changeGraph,
  changeNode,
  changeRefs,
  changeView,
  type Edge,
  inputId,
  inputName,
  OUTPUT,
  place,
  refName,
  taken,
} from "./graph";
import { freshName, inside, isUsed, namesIn, parentOf, real } from "./members";
import { unique } from "./names";
import { rearrange } from "./paths";
import type { Arguments, Block, Doc, Graph, GraphNode, Layer, Member, Path, Position, Value } from "./types";
import { changeCalls } from "./uses";
import { mapRefs, ref, refsIn } from "./values";

export function addNode(doc: Doc, block: string, node: GraphNode, at: Position): Doc {
  const added = changeGraph(doc, block, (graph) => ({ ...graph, nodes: [...graph.nodes, node] }));
  return place(added, block, { [node.id]: at });
}

/** Adds a member and a node that calls it (`get`s it, for parameters and buffers; loops over it, for lists). */
export function addMember(doc: Doc, block: string, member: Member, id: string, at: Position): Doc {
  const target = member.name;
  const base = { id, name: null, when: null, target };
  const op = {
    parameter: "get",
    buffer: "get",
    parameter_list: "get",
    parameter_dict: "get",
    module_list: "loop",
    module_dict: "choose",
  };
  const added = changeBlock(doc, block, (it) => ({ ...it, members: [...it.members, member] }));
  switch (op[member.kind as keyof typeof op]) {
    case "get":
      return addNode(added, block, { op: "get", ...base }, at);
    case "loop":
      return addNode(added, block, { op: "loop", ...base, arguments: {} }, at);
    case "choose":
      return addNode(added, block, { op: "choose", ...base, key: null, arguments: {} }, at);
    default:
      return addNode(added, block, { op: "call", ...base, arguments: {} }, at);
  }
}

/** A layer as it is first: built always, with nothing around it and torch's own initializers. */
export const newLayer = (name: string, target: string, args: Arguments = {}): Layer => ({
  kind: "layer",
  name,
  target,
  arguments: args,
  init: [],
  parametrizations: [],
  when: null,
});

export function addLayer(
  doc: Doc,
  block: string,
  layer: { target: string; label: string; name?: string | null | undefined; arguments?: Arguments },
  id: string,
  at: Position,
): Doc {
  const its = doc.blocks[block] as Block;
  const name = layer.name ? unique(layer.name, namesIn(its, "")) : freshName(its, layer.label);
  return addMember(doc, block, newLayer(name, layer.target, layer.arguments), id, at);
}

export function addFunction(
  doc: Doc,
  block: string,
  operation: { target: string; arguments?: Arguments },
  id: string,
  at: Position,
): Doc {
  const node: GraphNode = {
    op: "function",
    id,
    name: null,
    when: null,
    target: operation.target,
    arguments: operation.arguments ?? {},
  };
  return addNode(doc, block, node, at);
}

export function addInput(doc: Doc, block: string, wanted: string, at: Position): Doc {
  const graph = doc.blocks[block]?.forward;
  if (!graph) return doc;
  const name = unique(wanted, taken(graph));
  const added = changeGraph(doc, block, (it) => ({ ...it, inputs: [...it.inputs, { name, optional: false }] }));
  // Inputs of one network are mostly alike.
  const last = doc.inputs[graph.inputs.at(-1)?.name ?? ""];
  const example = last ?? { shape: [1, 8, 8], dtype: "float32", batch: true, high: null };
  const inputs = block === doc.main ? { ...doc.inputs, [name]: example } : doc.inputs;
  return place({ ...added, inputs }, block, { [inputId(name)]: at });
}

/** Whether an input may be called so. */
export const inputNameFree = (graph: Graph, name: string): boolean => !taken(graph).has(name);

const renameKey = <T>(record: { [key: string]: T }, from: string, to: string): { [key: string]: T } =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key === from ? to : key, value]));

export function renameInput(doc: Doc, block: string, from: string, to: string): Doc {
  const graph = doc.blocks[block]?.forward;
  if (!graph || from === to || !inputNameFree(graph, to)) return doc;
  const renamed = changeGraph(doc, block, (it) => ({
    ...changeRefs(it, (old) => (old.$ref === from ? ref(to, old.path) : old)),
    inputs: it.inputs.map((input) => (input.name === from ? { ...input, name: to } : input)),
  }));
  const seen = changeView(renamed, block, (view) => ({
    ...view,
    positions: renameKey(view.positions, inputId(from), inputId(to)),
  }));
  const called = changeCalls(seen, block, (args) => renameKey(args, from, to));
  return block === doc.main ? { ...called, inputs: renameKey(doc.inputs, from, to) } : called;
}

const omit = <T>(record: { [key: string]: T }, gone: ReadonlySet<string>): { [key: string]: T } =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !gone.has(key)));

/** Removes members that some removed node called and that now nobody uses, down to the innermost that is free. */
function dropUnused(doc: Doc, block: string, paths: string[]): Doc {
  let next = doc;
  const free = (path: string) => !isUsed(next.blocks[block] as Block, path);
  const drop = (path: string) => {
    next = rearrange(next, block, (it) => dropMember(it, path));
  };
  const isEmpty = (path: string) =>
    next.blocks[block]?.members.some(
      (member) => member.name === path && "items" in member && member.items.length === 0,
    );
  // From the back, so that the numbers of counted items that are still to go stay right.
  const order = [...new Set(paths)].sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  for (const path of order) {
    if (!free(path)) continue;
    drop(path);
    for (let parent = parentOf(path); parent; parent = parentOf(parent))
      if (isEmpty(parent) && free(parent)) drop(parent);
  }
  return next;
}

/** Takes nodes and inputs out with their connections, and leaves the members they called. */
function takeOut(doc: Doc, block: string, gone: ReadonlySet<string>): Doc {
  const refs = new Set([...gone].map(refName));
  const inputs = [...gone].map(inputName).filter((name) => name !== null);
  let next = changeGraph(doc, block, (graph) => {
    const kept = {
      ...graph,
      inputs: graph.inputs.filter((input) => !gone.has(inputId(input.name))),
      nodes: graph.nodes.filter((node) => !gone.has(node.id)),
    };
    return changeRefs(kept, (from) => (refs.has(from.$ref) ? undefined : from));
  });
  for (const name of inputs) next = changeCalls(next, block, (args) => omit(args, new Set([name])));
  if (block === doc.main) next = { ...next, inputs: omit(next.inputs, new Set(inputs)) };
  return changeView(next, block, (view) => ({
    positions: omit(view.positions, gone),
    collapsed: view.collapsed.filter((id) => !gone.has(id)),
  }));
}

/** Removes nodes and inputs with their connections, and the members that nobody calls any more. */
export function removeNodes(doc: Doc, block: string, ids: Iterable<string>): Doc {
  const gone = new Set(ids);
  gone.delete(OUTPUT);
  const before = doc.blocks[block];
  if (!before || gone.size === 0) return doc;
  const called = before.forward.nodes.flatMap((node) =>
    gone.has(node.id) && node.op !== "function" ? [node.target] : [],
  );
  return dropUnused(takeOut(doc, block, gone), block, called);
}

/** Removes a member or an item of a container, and the nodes that call it, by its own name or an alias. */
export function removeMember(doc: Doc, block: string, path: string): Doc {
  const its = doc.blocks[block];
  const calls = its?.forward.nodes.filter(
    (node) => node.op !== "function" && (inside(node.target, path) || inside(real(its, node.target), path)),
  );
  const without = takeOut(doc, block, new Set(calls?.map((node) => node.id)));
  return rearrange(without, block, (it) => dropMember(it, path));
}

/** A graph in which a node runs only where another one does, unless it has a condition of its own. */
export function runningWith(graph: Graph, id: string, other: string): Graph {
  const when = graph.nodes.find((node) => node.id === other)?.when ?? null;
  return when === null ? graph : changeNode(graph, id, (node) => ({ ...node, when: node.when ?? when }));
}

/** Puts a node into a connection: what flowed through the edge now flows through the node. */
export function insertOnEdge(doc: Doc, block: string, edge: Edge, id: string, input: Port, output: Path): Doc {
  const fed = connect(doc, block, { id: edge.source, path: edge.path }, id, input.name, input.many);
  return changeGraph(fed, block, (before) => {
    const graph = runningWith(before, id, edge.source);
    const swap = (value: Value, at: Path): Value => {
      if (at.length === 0) return ref(id, output);
      let index = -1;
      const flat = refsIn(value);
      return (
        mapRefs(value, (old) => {
          index += 1;
          return JSON.stringify(flat[index]?.at) === JSON.stringify(at) ? ref(id, output) : old;
        }) ?? null
      );
    };
    if (edge.target === OUTPUT) return { ...graph, output: swap(graph.output, edge.at) };
    return changeNode(graph, edge.target, (node) => {
      const [name = "", ...rest] = edge.at;
      const value = argumentsOf(node)[String(name)];
      if (node.op === "get" || value === undefined) return node;
      return { ...node, arguments: { ...node.arguments, [String(name)]: swap(value, rest) } };
    });
  });
}
type Port = { name: string; many: boolean };
