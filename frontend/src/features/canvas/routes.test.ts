import { describe, expect, it } from "vitest";
import type { FlowEdge, FlowNode } from "./flow";
import { alongLane, routed } from "./routes";

const SIZE = { width: 200, height: 60 };

function node(id: string, x: number, y: number): FlowNode {
  const handles = [
    { id: "input", type: "target", position: "top", x: 95, y: -5, width: 10, height: 10 },
    { id: "output", type: "source", position: "bottom", x: 95, y: 55, width: 10, height: 10 },
  ];
  return { id, position: { x, y }, data: { size: SIZE }, handles } as unknown as FlowNode;
}

function edge(source: string, target: string, label = ""): FlowEdge {
  const id = `${source}>${target}`;
  return { id, source, target, sourceHandle: "output", targetHandle: "input", data: { label } } as unknown as FlowEdge;
}

const lanes = (nodes: FlowNode[], edges: FlowEdge[]) =>
  routed(nodes, edges, (label) => label.length * 10).map((it) => it.data?.lane);
const inside = (lane: number | undefined, it: FlowNode) =>
  lane !== undefined && lane > it.position.x && lane < it.position.x + SIZE.width;

describe("routed", () => {
  const column = [node("a", 0, 0), node("b", 0, 120), node("c", 0, 240), node("d", 0, 360)];

  it("leaves connections between neighbours alone", () => {
    expect(lanes(column, [edge("a", "b"), edge("b", "c")])).toEqual([undefined, undefined]);
  });

  it("leads a skip past every node between its ends, label and all", () => {
    const [lane] = lanes(column, [edge("a", "d", "12345678")]);
    expect(lane).toBeDefined();
    expect(Math.min(Math.abs((lane ?? 0) - 0), Math.abs((lane ?? 0) - 200))).toBeGreaterThanOrEqual(40);
    expect(column.some((it) => inside(lane, it))).toBe(false);
  });

  it("goes on to where no other column stands", () => {
    const beside = [node("left", -210, 150), node("right", 210, 150)];
    const [lane] = lanes([...column, ...beside], [edge("a", "d")]);
    expect([...column, ...beside].some((it) => inside(lane, it))).toBe(false);
  });

  it("gives two skips that overlap lines of their own", () => {
    const [first, second] = lanes(column, [edge("a", "c"), edge("b", "d")]);
    expect(Math.abs((first ?? 0) - (second ?? 0))).toBeGreaterThanOrEqual(14);
  });

  it("takes the straight way where it is free", () => {
    expect(lanes([node("a", 0, 0), node("x", 400, 150), node("d", 0, 360)], [edge("a", "d")])).toEqual([undefined]);
  });
});

describe("alongLane", () => {
  it("starts and ends at the handles and follows the lane between", () => {
    const path = alongLane(0, 0, 10, 400, 150);
    expect(path.startsWith("M0,0 ")).toBe(true);
    expect(path.endsWith(" 10,400")).toBe(true);
    expect(path).toContain("L150,356");
  });
});
