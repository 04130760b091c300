/** The forward graph: nodes, the edges that their references mean, and what can be done to them. */
import type { Arguments, Block, BlockView, Doc, Graph, GraphNode, Path, Position, Ref, Value } from "./types";
import { mapRefs, refsIn } from "./values";

/** Ids on the canvas: a node's own, `input:<name>`, and `output`. */
export const OUTPUT = "output";
export const inputId = (name: string): string => `input:${name}`;
export const inputName = (id: string): string | null => (id.startsWith("input:") ? id.slice(6) : null);
export const refName = (id: string): string => inputName(id) ?? id;

export type Source = { id: string; path: Path };
export type Edge = {
  /** Source id and path, target id and argument path: stable while the connection is. */
  id: string;
  source: string;
  path: Path;
  target: string;
  /** The argument's name, then the place inside its value. */
  at: Path;
};

export function changeBlock(doc: Doc, name: string, change: (block: Block) => Block): Doc {
  const block = doc.blocks[name];
  if (!block) return doc;
  const next = change(block);
  return next === block ? doc : { ...doc, blocks: { ...doc.blocks, [name]: next } };
}
export const changeGraph = (doc: Doc, name: string, change: (graph: Graph) => Graph): Doc =>
  changeBlock(doc, name, (block) => {
    const forward = change(block.forward);
    return forward === block.forward ? block : { ...block, forward };
  });

export function viewOf(doc: Doc, block: string): BlockView {
  return doc.ui.blocks[block] ?? { positions: {}, collapsed: [] };
}
export function changeView(doc: Doc, block: string, change: (view: BlockView) => BlockView): Doc {
  const view = viewOf(doc, block);
  const next = change(view);
  return next === view ? doc : { ...doc, ui: { ...doc.ui, blocks: { ...doc.ui.blocks, [block]: next } } };
}
export function place(doc: Doc, block: string, positions: { [id: string]: Position }): Doc {
  return changeView(doc, block, (view) => {
    const changed = Object.entries(positions).filter(
      ([id, at]) => view.positions[id]?.x !== at.x || view.positions[id]?.y !== at.y,
    );
    return changed.length === 0 ? view : { ...view, positions: { ...view.positions, ...Object.fromEntries(changed) } };
  });
}

/** What stands on a block's canvas. */
export function canvasIds(doc: Doc, block: string): string[] {
  const graph = doc.blocks[block]?.forward;
  if (!graph) return [];
  return [...graph.inputs.map((input) => inputId(input.name)), ...graph.nodes.map((node) => node.id), OUTPUT];
}

/** Whether something on a block's canvas was never given a place. */
export function isUnplaced(doc: Doc, block: string): boolean {
  const { positions } = viewOf(doc, block);
  return canvasIds(doc, block).some((id) => !(id in positions));
}

/** Places for what still stands there: a layout may come late. */
export function placeKnown(doc: Doc, block: string, positions: { [id: string]: Position }): Doc {
  const known = canvasIds(doc, block).flatMap((id) => (positions[id] ? [[id, positions[id]] as const] : []));
  return place(doc, block, Object.fromEntries(known));
}

export const argumentsOf = (node: GraphNode): Arguments => (node.op === "get" ? {} : node.arguments);
export const nodeAt = (graph: Graph, id: string): GraphNode | undefined => graph.nodes.find((node) => node.id === id);
export const taken = (graph: Graph): Set<string> =>
  new Set([...graph.inputs.map((input) => input.name), ...graph.nodes.map((node) => node.id)]);

/** The first of n1, n2… that nothing in the graph is called. */
export function nextId(graph: Graph, reserved: ReadonlySet<string> = new Set()): string {
  const names = taken(graph);
  for (let number = 1; ; number++) {
    const id = `n${number}`;
    if (!names.has(id) && !reserved.has(id)) return id;
  }
}

const edgeId = (source: string, path: Path, target: string, at: Path): string =>
  `${source}${path.length ? `/${path.join("/")}` : ""}→${target}:${at.join("/")}`;

const known = new WeakMap<Graph, readonly Edge[]>();

/** Every connection of a graph, in the order of its nodes. References to nothing make no edge. */
export function edges(graph: Graph): readonly Edge[] {
  const found = known.get(graph) ?? findEdges(graph);
  known.set(graph, found);
  return found;
}

function findEdges(graph: Graph): Edge[] {
  const inputs = new Set(graph.inputs.map((input) => input.name));
  const nodes = new Set(graph.nodes.map((node) => node.id));
  const edge = (from: Ref, target: string, at: Path): Edge[] => {
    const source = inputs.has(from.$ref) ? inputId(from.$ref) : nodes.has(from.$ref) ? from.$ref : null;
    return source ? [{ id: edgeId(source, from.path, target, at), source, path: from.path, target, at }] : [];
  };
  const found = graph.nodes.flatMap((node) =>
    Object.entries(argumentsOf(node)).flatMap(([name, value]) =>
      refsIn(value).flatMap(({ ref: from, at }) => edge(from, node.id, [name, ...at])),
    ),
  );
  return [...found, ...refsIn(graph.output).flatMap(({ ref: from, at }) => edge(from, OUTPUT, at))];
}

/** A node and everything from which data flows to it: what it must not feed. */
export const upstream = (graph: Graph, id: string): ReadonlySet<string> => reached(graph, id, "target", "source");
/** A node and everything to which data flows from it: what must not feed it. */
export const downstream = (graph: Graph, id: string): ReadonlySet<string> => reached(graph, id, "source", "target");

function reached(graph: Graph, id: string, near: "source" | "target", far: "source" | "target"): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const edge of edges(graph)) {
    const ends = next.get(edge[near]);
    if (ends) ends.push(edge[far]);
    else next.set(edge[near], [edge[far]]);
  }
  const seen = new Set([id]);
  // A set may grow while it is walked.
  for (const at of seen) for (const end of next.get(at) ?? []) seen.add(end);
  return seen;
}

/** Whether data already flows from `target` to `source`, so that a connection back would close a cycle. */
export const wouldCycle = (graph: Graph, source: string, target: string): boolean =>
  upstream(graph, source).has(target);

export const changeNode = (graph: Graph, id: string, change: (node: GraphNode) => GraphNode): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => (node.id === id ? change(node) : node)),
});

/** Under which condition a node runs; null for always. */
export const setWhen = (doc: Doc, block: string, id: string, when: string | null): Doc =>
  changeGraph(doc, block, (graph) => changeNode(graph, id, (node) => ({ ...node, when })));

export function setArgument(doc: Doc, block: string, id: string, name: string, value: Value | undefined): Doc {
  return changeGraph(doc, block, (graph) =>
    changeNode(graph, id, (node) => {
      if (node.op === "get") return node;
      const { [name]: _, ...others } = node.arguments;
      return { ...node, arguments: value === undefined ? others : { ...node.arguments, [name]: value } };
    }),
  );
}

/** A port that adds one more output. */
export const NEW_OUTPUT = "+";

/** A graph whose references are renamed, or dropped where `change` gives undefined. */
export function changeRefs(graph: Graph, change: (ref: Ref) => Value | undefined): Graph {
  const nodes = graph.nodes.map((node): GraphNode => {
    if (node.op === "get") return node;
    const args: Arguments = {};
    for (const [name, value] of Object.entries(node.arguments)) {
      const next = mapRefs(value, change);
      if (next !== undefined) args[name] = next;
    }
    return node.op === "choose"
      ? { ...node, arguments: args, key: mapRefs(node.key, change) ?? null }
      : { ...node, arguments: args };
  });
  return { ...graph, nodes, output: mapRefs(graph.output, change, true) ?? null };
}
