/** Automatic layout, by elk in a worker that is started when it is first wanted. */
import type { ELK, ElkNode } from "elkjs/lib/elk-api";
import type { Position } from "@/model/types";
import type { FlowEdge, FlowNode } from "./flow";

type Engine = {
  elk: ELK;
  /** Rejects when the worker breaks, which elk itself never tells, or is stopped. */
  over: Promise<never>;
  stop: () => void;
};
let starting: Promise<Engine> | null = null;

async function start(): Promise<Engine> {
  const [{ default: Elk }, { default: url }] = await Promise.all([
    import("elkjs/lib/elk-api.js"),
    import("elkjs/lib/elk-worker.min.js?url"),
  ]);
  const worker = new Worker(url);
  let reject: (why: Error) => void = () => undefined;
  const over = new Promise<never>((_, refuse) => {
    reject = refuse;
  });
  worker.addEventListener("error", () => reject(new Error("The layout's worker broke.")));
  // It is of interest only to whoever waits for a layout.
  over.catch(() => undefined);
  const stop = () => {
    worker.terminate();
    reject(new DOMException("The layout was stopped.", "AbortError"));
  };
  return { elk: new Elk({ workerFactory: () => worker }), over, stop };
}

/** Runs in the worker. One that could not be started, broke or was stopped is started anew the next time. */
async function run(graph: ElkNode, signal?: AbortSignal): Promise<ElkNode> {
  starting ??= start();
  const engine = starting;
  const stopped = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  const computed = engine.then(({ elk, over }) => Promise.race([elk.layout(graph), over]));
  try {
    return await Promise.race([computed, stopped]);
  } catch (error) {
    // A worker hears of nothing while it computes, so that it can only be ended.
    void engine.then(({ stop }) => stop()).catch(() => undefined);
    computed.catch(() => undefined);
    if (starting === engine) starting = null;
    throw error;
  }
}

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.layered.spacing.nodeNodeBetweenLayers": "56",
  "elk.spacing.nodeNode": "56",
  "elk.spacing.edgeNode": "32",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.favorStraightEdges": "true",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
};

/** Beyond this many nodes avoiding every crossing takes seconds, and nobody sees the difference. */
const MANY = 150;
const PLAIN = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.layered.spacing.nodeNodeBetweenLayers": "56",
  "elk.spacing.nodeNode": "56",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.crossingMinimization.greedySwitch.type": "OFF",
  "elk.layered.thoroughness": "1",
  "elk.layered.layering.strategy": "LONGEST_PATH",
};

/** What elk is asked. */
export function asGraph(nodes: readonly FlowNode[], edges: readonly FlowEdge[]): ElkNode {
  return {
    id: "root",
    layoutOptions: nodes.length > MANY ? PLAIN : OPTIONS,
    children: nodes.map(box),
    edges: edges.map((edge) => ({
      id: edge.id,
      sources: [portId(edge.source, edge.sourceHandle)],
      targets: [portId(edge.target, edge.targetHandle)],
    })),
  };
}

/** Places for all nodes: data runs from top to bottom, inputs first. */
export async function arrange(
  nodes: readonly FlowNode[],
  edges: readonly FlowEdge[],
  signal?: AbortSignal,
): Promise<{ [id: string]: Position }> {
  const { children = [] } = await run(asGraph(nodes, edges), signal);
  return Object.fromEntries(children.map(({ id, x = 0, y = 0 }) => [id, { x: Math.round(x), y: Math.round(y) }]));
}

/** Places for some nodes among themselves, about where they stand now. */
export async function arrangeSome(
  nodes: readonly FlowNode[],
  edges: readonly FlowEdge[],
  signal?: AbortSignal,
): Promise<{ [id: string]: Position }> {
  const among = new Set(nodes.map((node) => node.id));
  const inner = edges.filter((edge) => among.has(edge.source) && among.has(edge.target));
  const found = await arrange(nodes, inner, signal);
  const before = corner(nodes.map((node) => node.position));
  const after = corner(Object.values(found));
  const [x, y] = [Math.round(before.x - after.x), Math.round(before.y - after.y)];
  return Object.fromEntries(Object.entries(found).map(([id, at]) => [id, { x: at.x + x, y: at.y + y }]));
}

const corner = (places: readonly Position[]): Position => ({
  x: Math.min(...places.map(({ x }) => x)),
  y: Math.min(...places.map(({ y }) => y)),
});

const portId = (node: string, handle: string | null | undefined) => JSON.stringify([node, handle]);

/** By so much are handles of one side apart, as a share of what is drawn: it keeps their order, and moves no node. */
const APART = 1e-4;

/**
 * A node as elk knows it. It draws lines straight, from handle to handle; were the handles where they are drawn, a chain
 * would move aside by each addition that it enters at the left. So that nodes of a chain stand below one another, their
 * handles are at the middle.
 */
function box({ id, width = 0, height = 0, handles = [] }: FlowNode): ElkNode {
  return {
    id,
    width,
    height,
    layoutOptions: { "elk.portConstraints": "FIXED_POS" },
    ports: handles.map((handle) => ({
      id: portId(id, handle.id),
      x: width / 2 + APART * (handle.x + (handle.width ?? 0) / 2 - width / 2),
      y: handle.type === "target" ? 0 : height,
      width: 0,
      height: 0,
      layoutOptions: { "elk.port.side": handle.type === "target" ? "NORTH" : "SOUTH" },
    })),
  };
}
