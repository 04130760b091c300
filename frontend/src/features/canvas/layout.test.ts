import ELK from "elkjs/lib/elk.bundled.js";
import { expect, it } from "vitest";
import type { FlowEdge, FlowNode } from "./flow";
import { asGraph } from "./layout";

const WIDTH = 200;
/** A node with its inputs where they are drawn, and one output in the middle. */
const node = (id: string, inputs: readonly number[]): FlowNode => {
  const handle = (name: string, type: "source" | "target", x: number) => ({ id: name, type, x: x - 4, width: 8 });
  const handles = [...inputs.map((x, index) => handle(`in${index}`, "target", x)), handle("out", "source", WIDTH / 2)];
  return { id, width: WIDTH, height: 72, handles, position: { x: 0, y: 0 } } as unknown as FlowNode;
};
const edge = (source: string, target: string, port = 0): FlowEdge =>
  ({ id: `${source}-${target}-${port}`, source, target, sourceHandle: "out", targetHandle: `in${port}` }) as FlowEdge;

/** Residual blocks behind one another, in one graph: layers, and an addition of what went in, at its left or right. */
function residual(blocks: number, layers: number, carried: 0 | 1): [FlowNode[], FlowEdge[]] {
  const nodes = [node("x", [])];
  const edges: FlowEdge[] = [];
  for (let block = 0; block < blocks; block++) {
    const given = nodes.at(-1)?.id as string;
    for (let layer = 0; layer < layers; layer++) {
      nodes.push(node(`l${block}_${layer}`, [WIDTH / 2]));
      edges.push(edge(nodes.at(-2)?.id as string, nodes.at(-1)?.id as string));
    }
    nodes.push(node(`add${block}`, [60, 140]));
    edges.push(edge(nodes.at(-2)?.id as string, `add${block}`, carried));
    edges.push(edge(given, `add${block}`, 1 - carried));
  }
  return [nodes, edges];
}

it.each([
  ["few", 8, 4, 0],
  ["few, the other way round", 8, 4, 1],
  ["many", 60, 4, 0],
] as const)("keeps a chain with additions in one column: %s", async (_, blocks, layers, carried) => {
  const { children = [] } = await new ELK().layout(asGraph(...residual(blocks, layers, carried)));
  const columns = new Set(children.map(({ x = 0 }) => Math.round(x)));
  expect([...columns]).toHaveLength(1);
});
