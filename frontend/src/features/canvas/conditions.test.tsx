import { MantineProvider } from "@mantine/core";
import { act, cleanup, render, screen } from "@testing-library/react";
import { type NodeProps, ReactFlowProvider } from "@xyflow/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Report } from "@/api/types";
import { setLanguage, text } from "@/i18n";
import { block, call, linear, network } from "@/model/example.test-data";
import { OUTPUT } from "@/model/graph";
import type { Value } from "@/model/types";
import { choice, ref } from "@/model/values";
import { createBuilder, type FlowNode } from "./flow";
import { LayerNode } from "./LayerNode";
import { TerminalNode } from "./TerminalNode";

const raw = (value: Value) => JSON.parse(JSON.stringify(value));
const doc = network(
  block(
    [linear("body"), linear("drop"), linear("aux"), linear("head")],
    [
      call("n1", "body", "x"),
      { ...call("n2", "drop", "n1"), when: "training" },
      { ...call("n3", "aux", "n1"), when: "depth > 2" },
      { op: "call", id: "n4", target: "head", arguments: { input: raw(choice("training", ref("n2"), ref("n1"))) } },
    ],
    raw(choice("training", { $tuple: [ref("n4"), ref("n3")] }, ref("n4"))),
  ),
);
const build = (report: Report | null = null) =>
  createBuilder()({ doc, place: { block: "Net", instance: "" }, lookup: () => undefined, report });
const nodeOf = (id: string) => build().nodes.find((node) => node.id === id) as FlowNode;

function draw(id: string) {
  const node = nodeOf(id);
  const Drawn = node.type === "terminal" ? TerminalNode : LayerNode;
  return render(
    <MantineProvider env="test">
      <ReactFlowProvider>
        <Drawn {...({ id, data: node.data, selected: false } as unknown as NodeProps<FlowNode>)} />
      </ReactFlowProvider>
    </MantineProvider>,
  );
}
const labels = () => [...document.querySelectorAll("[data-case]")].map((it) => it.textContent);

afterEach(async () => {
  cleanup();
  await setLanguage("en");
});

describe("a node that runs at times", () => {
  it("says when, in words where there are any", () => {
    draw("n2");
    expect(screen.getByTestId("when").textContent).toBe("training only");
    cleanup();
    draw("n3");
    expect(screen.getByTestId("when").textContent).toBe("depth > 2");
    cleanup();
    draw("n1");
    expect(screen.queryByTestId("when")).toBeNull();
    expect(nodeOf("n2").ariaLabel).toContain("if training");
  });

  it("says so in Chinese", async () => {
    await act(() => setLanguage("zh"));
    draw("n2");
    expect(screen.getByTestId("when").textContent).toBe(text().editor.conditions.only.training);
    expect(screen.getByTestId("when").textContent).toBe("仅训练时");
  });
});

describe("connections", () => {
  it("are dashed where nothing flows at times, each to the case that it is for", () => {
    const edges = build().edges.map(({ id, targetHandle, data }) => [id, targetHandle, data?.conditional]);
    expect(edges).toEqual([
      ["input:x→n1:input", "input", false],
      ["n1→n2:input", "input", true],
      ["n1→n3:input", "input", true],
      ["n2→n4:input/then", "input/then", true],
      ["n1→n4:input/else", "input/else", true],
      ["n4→output:then/0", "then/0", true],
      ["n3→output:then/1", "then/1", true],
      ["n4→output:else", "else/output", true],
    ]);
    for (const { source, target, sourceHandle, targetHandle } of build().edges) {
      expect(nodeOf(source).handles?.some((it) => it.id === sourceHandle && it.type === "source")).toBe(true);
      expect(nodeOf(target).handles?.some((it) => it.id === targetHandle && it.type === "target")).toBe(true);
    }
  });

  it("are told apart at their port", () => {
    draw("n4");
    expect(labels()).toEqual(["training", "evaluation"]);
    cleanup();
    draw(OUTPUT);
    expect(labels()).toEqual(["training·0", "training·1", "evaluation"]);
    expect(screen.getByRole("img", { name: text().editor.node.inputPort("training·0", "") })).toBeTruthy();
  });

  it("are wrong one by one, where one reads what is not always there", () => {
    const problem = {
      code: "conditional_result",
      severity: "error",
      message: "exists only where",
      block: "Net",
      instance: null,
      node: "n4",
      member: null,
      port: "input",
      data: { reference: "n2" },
      fixes: [],
    };
    const report = { problems: [problem], modules: {}, nodes: {}, totals: { batch: 2 } } as unknown as Report;
    const wrong = build(report).edges.filter((edge) => edge.data?.reason);
    expect(wrong.map((edge) => edge.id)).toEqual(["n2→n4:input/then"]);
  });
});
