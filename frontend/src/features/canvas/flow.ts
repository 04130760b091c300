/** From the document to what React Flow draws. What did not change stays the same object, so that it is not drawn again. */
import { type Edge, type Node, Position as Side } from "@xyflow/react";
import type { Entry, NodeReport, Problem, Report, Result } from "@/api/types";
import { formatValue } from "@/features/forms/literals";
import { text } from "@/i18n";
import { boxOf, HANDLE, handleX, nodeSize, type Size, terminalSize } from "@/model/geometry";
import { edges as edgesOf, inputId, OUTPUT, refName, viewOf } from "@/model/graph";
import { kindOf, lastOf } from "@/model/members";
import {
  calledBy,
  entryOf,
  type InPort,
  isConditional,
  type Lookup,
  type OutPort,
  outputInPorts,
  type Ports,
  partAt,
  portOf,
  portsOf,
  usedPaths,
} from "@/model/ports";
import { nodeReport, type Place, problemsHere, resultText, shapeText } from "@/model/report";
import { callersOf } from "@/model/sharing";
import type { Arguments, Block, Container, Doc, Graph, GraphNode, Path, Position } from "@/model/types";
import { isAuto, isIf, refsIn, same } from "@/model/values";
import { memberCategory } from "./categories";
import { NOTHING_INSIDE, problemsInside } from "./inside";
import { labelWidth } from "./label";
import { routed } from "./routes";

export type NodeData = {
  kind: "layer" | "box" | "input" | "output";
  /** Catalogue label, block name, or kind of container. */
  label: string;
  /** Attribute path of the member, name of an input, empty for functions. */
  member: string;
  category: string;
  detail: string;
  shape: string;
  inputs: InPort[];
  outputs: OutPort[];
  size: Size;
  box: Container | null;
  block: string | null;
  collapsed: boolean;
  severity: "error" | "warning" | null;
  reason: string;
  /** Paths of members inside a box that have problems. */
  wrong: string[];
  /** How many nodes call the same member. */
  shared: number;
  /** What is wrong inside the block that the node calls, or inside one of its box. */
  inside: Problem | null;
  /** Whether it calls a module that could not be opened. */
  opaque: boolean;
  /** The condition under which the node runs; null for always. */
  when: string | null;
  [key: string]: unknown;
};
export type FlowNode = Node<NodeData, "layer" | "box" | "terminal">;
export type EdgeData = {
  label: string;
  at: Path;
  path: Path;
  reason: string;
  /** Whether something flows at times only. */
  conditional: boolean;
  /** An x on the canvas to go along, around the nodes between the ends. */
  lane?: number;
  [key: string]: unknown;
};
export type FlowEdge = Edge<EdgeData, "shape">;

export type Scene = {
  doc: Doc;
  place: Place;
  lookup: Lookup;
  report: Report | null;
  /** What a screen reader says of a connection; React Flow's English without. */
  edgeName?: (from: string, to: string) => string;
};

/** The two arguments that say most: those that differ from torch's defaults, in torch's order, sizes found by itself left out. */
function detail(args: Arguments, entry: Entry | undefined): string {
  const specs = entry?.parameters ?? [];
  const written = (name: string) => name in args && !isAuto(args[name]) && refsIn(args[name] ?? null).length === 0;
  return specs
    .filter((spec) => written(spec.name))
    .slice(0, 2)
    .map((spec) => `${spec.name}=${formatValue(args[spec.name])}`)
    .join("  ");
}

const handles = (ports: { inputs: InPort[]; outputs: OutPort[] }, size: Size) => [
  ...ports.inputs.map((port, index) => ({
    id: port.name,
    type: "target" as const,
    position: Side.Top,
    x: handleX(size.width, index, ports.inputs) - HANDLE / 2,
    y: -HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  })),
  ...ports.outputs.map((port, index) => ({
    id: port.name,
    type: "source" as const,
    position: Side.Bottom,
    x: handleX(size.width, index, ports.outputs) - HANDLE / 2,
    y: size.height - HANDLE / 2,
    width: HANDLE,
    height: HANDLE,
  })),
];

function flowNode(id: string, type: "layer" | "box" | "terminal", data: NodeData, position: Position): FlowNode {
  return {
    id,
    type,
    position,
    data,
    width: data.size.width,
    height: data.size.height,
    handles: handles(data, data.size),
    ariaLabel: [data.member, data.label, data.shape, data.when && `if ${data.when}`].filter(Boolean).join(", "),
  };
}

/** What a tooltip says of a problem: the service's own words, or in other languages than its English what helps. */
function told({ code, message }: Problem): string {
  const { problems, remedies } = text();
  return remedies[code] ? `${problems[code]} ${remedies[code]}` : message;
}

type Worst = Pick<NodeData, "severity" | "reason" | "wrong">;
function worst(problems: readonly Problem[]): Worst {
  const first = problems.find((problem) => problem.severity === "error") ?? problems[0];
  const wrong = problems.flatMap((problem) => (problem.severity === "error" && problem.member ? [problem.member] : []));
  return { severity: first?.severity ?? null, reason: first ? told(first) : "", wrong };
}

function drawn(
  scene: Scene,
  block: Block,
  node: GraphNode,
  ports: Ports,
  found: NodeReport | undefined,
  bad: Worst,
): NodeData {
  const view = viewOf(scene.doc, scene.place.block);
  const member = calledBy(block, node);
  const entry = entryOf(block, node, scene.lookup);
  const box = boxOf(block, view, node);
  const container = member && "items" in member ? member : null;
  const category = entry?.category ?? memberCategory(member);
  const inner = node.op === "function" ? NOTHING_INSIDE : problemsInside(scene, block, node.target);
  const args = node.op === "function" ? node.arguments : member && "arguments" in member ? member.arguments : {};
  return {
    kind: box ? "box" : "layer",
    label: entry?.label ?? (member ? kindOf(member) : lastOf(node.target)),
    member: node.op === "function" ? "" : node.target,
    category: node.op === "function" && !entry ? "shape" : category,
    opaque: member?.kind === "opaque",
    detail: member?.kind === "opaque" ? member.type : container ? `×${container.items.length}` : detail(args, entry),
    shape: resultText(found?.output, scene.report?.totals.batch ?? 0),
    inputs: ports.inputs,
    outputs: ports.outputs,
    size: nodeSize(block, view, node, ports),
    box,
    block: member?.kind === "block" ? member.block : null,
    collapsed: container !== null && box === null,
    shared: node.op === "function" ? 1 : callersOf(block, node.target).length,
    inside: inner.problem,
    when: node.when,
    severity: bad.severity,
    reason: bad.reason || (inner.problem ? told(inner.problem) : ""),
    wrong: [...bad.wrong, ...inner.paths],
  };
}

/** What flows out of an input: the example of the main block, or what the caller of a block gave. */
function inputResult(scene: Scene, name: string): string {
  const batch = scene.report?.totals.batch ?? 0;
  if (scene.place.block === scene.doc.main) {
    const example = scene.doc.inputs[name];
    if (!example) return "";
    return example.batch ? ["N", ...example.shape].join("×") : shapeText(example.shape, [], batch);
  }
  return resultText(scene.report?.modules[scene.place.instance]?.inputs[name], batch);
}

function inputNode(scene: Scene, name: string, bad: Worst, position: Position): FlowNode {
  const outputs = [{ name: "output", path: [] }];
  return flowNode(
    inputId(name),
    "terminal",
    {
      kind: "input",
      label: "",
      member: name,
      category: "terminal",
      detail: scene.doc.inputs[name]?.dtype ?? "",
      shape: inputResult(scene, name),
      inputs: [],
      outputs,
      size: terminalSize([]),
      box: null,
      block: null,
      collapsed: false,
      shared: 1,
      inside: null,
      opaque: false,
      when: null,
      ...bad,
    },
    position,
  );
}

function outputNode(scene: Scene, block: Block, bad: Worst, position: Position): FlowNode {
  const inputs = outputInPorts(block.forward.output);
  const batch = scene.report?.totals.batch ?? 0;
  const whole =
    scene.place.block === scene.doc.main ? scene.report?.outputs : scene.report?.modules[scene.place.instance]?.output;
  return flowNode(
    OUTPUT,
    "terminal",
    {
      kind: "output",
      label: "",
      member: "",
      category: "terminal",
      detail: "",
      shape: resultText(whole, batch),
      inputs,
      outputs: [],
      size: terminalSize(inputs),
      box: null,
      block: null,
      collapsed: false,
      shared: 1,
      inside: null,
      opaque: false,
      when: null,
      ...bad,
    },
    position,
  );
}

const equalNode = (left: FlowNode, right: FlowNode): boolean =>
  left.data.box === right.data.box && same(left.position, right.position) && same(left.data, right.data);

/** Builds scenes, and keeps the nodes and edges of the last one that are still the same. */
export function createBuilder(): (scene: Scene) => { nodes: FlowNode[]; edges: FlowEdge[] } {
  let oldNodes = new Map<string, FlowNode>();
  let oldEdges = new Map<string, FlowEdge>();
  const keep = <T extends { id: string }>(old: Map<string, T>, next: T, equal: (a: T, b: T) => boolean): T => {
    const before = old.get(next.id);
    return before && equal(before, next) ? before : next;
  };
  return (scene) => {
    const block = scene.doc.blocks[scene.place.block];
    if (!block) return { nodes: [], edges: [] };
    const built = build(scene, block);
    const nodes = built.nodes.map((node) => keep(oldNodes, node, equalNode));
    const edges = built.edges.map((edge) => keep(oldEdges, edge, same));
    oldNodes = new Map(nodes.map((node) => [node.id, node]));
    oldEdges = new Map(edges.map((edge) => [edge.id, edge]));
    return { nodes, edges };
  };
}

function build(scene: Scene, block: Block): { nodes: FlowNode[]; edges: FlowEdge[] } {
  const { doc, place, report, lookup } = scene;
  const used = usedPaths(block);
  const problems = new Map<string, Problem[]>();
  for (const problem of problemsHere(report, place))
    if (problem.node) problems.set(problem.node, [...(problems.get(problem.node) ?? []), problem]);
  const { positions } = viewOf(doc, place.block);
  const at = (id: string, index: number): Position => positions[id] ?? { x: 0, y: index * 128 };
  const bad = (id: string): Worst => worst(problems.get(id) ?? []);

  const ports = new Map<string, Ports>();
  const nodes: FlowNode[] = block.forward.inputs.map((input, index) =>
    inputNode(scene, input.name, bad(input.name), positions[inputId(input.name)] ?? { x: index * 200, y: 0 }),
  );
  for (const [index, node] of block.forward.nodes.entries()) {
    const found = nodeReport(report, place, node.id);
    const its = portsOf(doc, block, node, lookup, used.get(node.id) ?? [], found?.output);
    ports.set(node.id, its);
    const data = drawn(scene, block, node, its, found, bad(node.id));
    nodes.push(flowNode(node.id, data.box ? "box" : "layer", data, at(node.id, index + 1)));
  }
  nodes.push(outputNode(scene, block, bad(OUTPUT), at(OUTPUT, block.forward.nodes.length + 1)));
  const running = new Set(block.forward.nodes.flatMap((node) => (node.when === null ? [] : [node.id])));
  const names = new Map(nodes.map((node) => [node.id, node.data.member || node.data.label]));
  const edges = edgesOf(block.forward).map((edge) => {
    const drawnEdge = flowEdge(scene, block.forward, edge, ports, problems);
    const ariaLabel = scene.edgeName?.(names.get(edge.source) ?? "", names.get(edge.target) ?? "");
    return {
      ...drawnEdge,
      ariaLabel,
      data: { ...drawnEdge.data, conditional: isConditional(block.forward, edge, running) },
    };
  });
  return { nodes, edges: routed(nodes, edges, labelWidth) };
}

function flowEdge(
  scene: Scene,
  graph: Graph,
  edge: ReturnType<typeof edgesOf>[number],
  ports: ReadonlyMap<string, Ports>,
  problems: ReadonlyMap<string, Problem[]>,
): FlowEdge & { data: EdgeData } {
  const batch = scene.report?.totals.batch ?? 0;
  const result: Result | null = partAt(nodeReport(scene.report, scene.place, edge.source)?.output, edge.path);
  const label = edge.source.startsWith("input:") ? inputResult(scene, edge.source.slice(6)) : resultText(result, batch);
  const source = ports.get(edge.source)?.outputs.find((port) => same(port.path, edge.path));
  const port = portOf(graph, edge);
  const argument = edge.target !== OUTPUT ? String(edge.at[0]) : isIf(graph.output) ? OUTPUT : port;
  const wrong = (problems.get(edge.target) ?? []).find(
    (problem) =>
      problem.severity === "error" &&
      // What runs at times is told of by its name: the other connections of the port are as they should be.
      (problem.code !== "conditional_result" || problem.data.reference === refName(edge.source)) &&
      (problem.port === argument ||
        (problem.port === null && (problem.code === "shape_mismatch" || problem.code === "dtype_mismatch"))),
  );
  return {
    id: edge.id,
    type: "shape",
    source: edge.source,
    target: edge.target,
    sourceHandle: source?.name ?? "output",
    targetHandle: port,
    data: { label, at: edge.at, path: edge.path, reason: wrong ? told(wrong) : "", conditional: false },
  };
}
