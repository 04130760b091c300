/** Adding and removing what a graph is made of: layers, operations, inputs; and putting a node into an edge. */
import {
  argumentsOf,
  changeBlock,
  changeGraph,
  changeNode,
  changeRefs,
  changeView,
  connect,
  type Edge,
  inputId,
  inputName,
  OUTPUT,
  place,
  refName,
  taken,
} from "./graph";
import { dropMember, freshName, isUsed } from "./members";
import { unique } from "./names";
import type { Arguments, Block, Doc, Graph, GraphNode, Member, Path, Position, Value } from "./types";
import { mapRefs, ref, refsIn } from "./values";

export function addNode(doc: Doc, block: string, node: GraphNode, at: Position): Doc {
  const added = changeGraph(doc, block, (graph) => ({ ...graph, nodes: [...graph.nodes, node] }));
  return place(added, block, { [node.id]: at });
}

/** Adds a member and a node that calls it (`get`s it, for parameters and buffers; loops over it, for lists). */
export function addMember(doc: Doc, block: string, member: Member, id: string, at: Position): Doc {
  const target = member.name;
  const base = { id, name: null, target };
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

export function addLayer(
  doc: Doc,
  block: string,
  layer: { target: string; label: string; arguments?: Arguments },
  id: string,
  at: Position,
): Doc {
  const name = freshName(doc.blocks[block] as Block, layer.label);
  return addMember(
    doc,
    block,
    { kind: "layer", name, target: layer.target, arguments: layer.arguments ?? {}, init: [] },
    id,
    at,
  );
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
  const inputs =
    block === doc.main
      ? { ...doc.inputs, [name]: { shape: [1, 8, 8], dtype: "float32", batch: true, high: null } }
      : doc.inputs;
  return place({ ...added, inputs }, block, { [inputId(name)]: at });
}

/** Whether an input may be called so. */
export const inputNameFree = (graph: Graph, name: string): boolean => !taken(graph).has(name);

const renameKey = <T>(record: { [key: string]: T }, from: string, to: string): { [key: string]: T } =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key === from ? to : key, value]));

/** Nodes that call a block, wherever they are, with their arguments changed. */
function changeCalls(doc: Doc, blockName: string, change: (args: Arguments) => Arguments): Doc {
  const blocks = Object.entries(doc.blocks).map(([name, block]): [string, Block] => {
    const uses = new Set(
      block.members.flatMap((member) => (member.kind === "block" && member.block === blockName ? [member.name] : [])),
    );
    if (uses.size === 0) return [name, block];
    const nodes = block.forward.nodes.map((node) =>
      node.op === "call" && uses.has(node.target) ? { ...node, arguments: change(node.arguments) } : node,
    );
    return [name, { ...block, forward: { ...block.forward, nodes } }];
  });
  return { ...doc, blocks: Object.fromEntries(blocks) };
}

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

/** Members that some removed node called and that now nobody uses, down to the innermost that is free. */
function dropUnused(block: Block, paths: string[]): Block {
  let next = block;
  // From the back, so that the numbers of counted items that are still to go stay right.
  const order = [...new Set(paths)].sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  for (const path of order) {
    if (isUsed(next, path)) continue;
    next = dropMember(next, path);
    for (let parent = path.slice(0, Math.max(0, path.lastIndexOf("."))); parent; ) {
      const empty = next.members.some(
        (member) => member.name === parent && "items" in member && member.items.length === 0,
      );
      if (empty && !isUsed(next, parent)) next = dropMember(next, parent);
      parent = parent.slice(0, Math.max(0, parent.lastIndexOf(".")));
    }
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
  return changeBlock(takeOut(doc, block, gone), block, (it) => dropUnused(it, called));
}

/** Removes a member or an item of a container, and the nodes that call it. */
export function removeMember(doc: Doc, block: string, path: string): Doc {
  const nodes = doc.blocks[block]?.forward.nodes ?? [];
  const calls = nodes.filter(
    (node) => node.op !== "function" && (node.target === path || node.target.startsWith(`${path}.`)),
  );
  const without = takeOut(doc, block, new Set(calls.map((node) => node.id)));
  return changeBlock(without, block, (it) => dropMember(it, path));
}

/** Puts a node into a connection: what flowed through the edge now flows through the node. */
export function insertOnEdge(doc: Doc, block: string, edge: Edge, id: string, input: Port, output: Path): Doc {
  const fed = connect(doc, block, { id: edge.source, path: edge.path }, id, input.name, input.many);
  return changeGraph(fed, block, (graph) => {
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
