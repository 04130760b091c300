import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { catalogueQuery, queryClient } from "@/api/queries";
import { text } from "@/i18n";
import { block, call, linear, network } from "@/model/example.test-data";
import { nodeAt, OUTPUT } from "@/model/graph";
import { currentDoc, useDocument } from "@/model/store";
import type { Block, Doc, Value } from "@/model/types";
import { choice, ref } from "@/model/values";
import { enterMain, select } from "@/model/view";
import { Toasts } from "@/ui/Toasts";
import { Inspector } from "./Inspector";

const t = text().editor;
const words = t.conditions;
const spec = (name: string, ...kinds: string[]) => ({
  name,
  kinds,
  required: false,
  default: 1,
  nullable: false,
  choices: [],
  length: null,
  variadic: false,
  keyword: false,
  auto: false,
  minimum: null,
  doc: "",
});
const mul = {
  name: "operator.mul",
  label: "mul",
  category: "arithmetic",
  inputs: [],
  outputs: [],
  parameters: [spec("other", "float", "tensor")],
  keywords: [],
};
const raw = (value: Value) => JSON.parse(JSON.stringify(value));
const net = () => currentDoc().blocks.Net as Block;
const node = (id: string) => nodeAt(net().forward, id);
const given = (id: string) => {
  const it = node(id);
  return it && it.op !== "get" ? it.arguments : {};
};
const undo = () => act(() => useDocument.getState().undo());

async function show(selected: string, output: Value = ref("n3")) {
  const scaled = { input: raw(ref("n2")), other: raw(choice("training", 0.5, ref("n1"))) };
  const nodes = [
    call("n1", "a", "x"),
    call("n2", "b", "n1"),
    { op: "function", id: "n3", target: "operator.mul", arguments: scaled },
    { op: "call", id: "n4", target: "c", arguments: { input: raw(choice("depth > 2", ref("n3"), ref("x"))) } },
  ];
  const made = block([linear("a"), linear("b"), linear("c")], nodes, raw(output));
  const doc: Doc = network({ ...made, arguments: [{ name: "depth", default: 1 }] });
  queryClient.setQueryData(catalogueQuery.queryKey, { layers: [], operations: [mul], initializers: [] } as never);
  act(() => {
    useDocument.getState().open(doc);
    enterMain(doc);
    select([selected]);
  });
  render(
    <QueryClientProvider client={queryClient}>
      <MantineProvider env="test">
        <Inspector onFold={() => {}} />
        <Toasts />
      </MantineProvider>
    </QueryClientProvider>,
  );
  // The forms come apart from their frame.
  await screen.findByRole("heading", { level: 2 }, { timeout: 20_000 });
}

/** By keyboard: opened with the arrow, and the option chosen by its name. */
async function run(option: string) {
  const field = screen.getByRole("combobox", { name: words.runs });
  act(() => field.focus());
  fireEvent.keyDown(field, { key: "ArrowDown" });
  fireEvent.click(await screen.findByRole("option", { name: option, hidden: true }));
}

afterEach(cleanup);

describe("when a node runs", () => {
  beforeEach(() => show("n2"));

  it("is chosen, in one step that can be undone", async () => {
    await run(words.during.training);
    expect(node("n2")?.when).toBe("training");
    expect(useDocument.getState().history.past).toHaveLength(1);
    undo();
    expect(node("n2")?.when).toBeNull();
    expect((screen.getByRole("combobox", { name: words.runs }) as HTMLInputElement).value).toBe(words.always);
    await run(words.during.evaluation);
    expect(node("n2")?.when).toBe("not training");
    await run(words.always);
    expect(node("n2")?.when).toBeNull();
  });

  it("may be any condition, which is written once it is whole", async () => {
    await run(words.other);
    expect(node("n2")?.when).toBeNull();
    const field = screen.getByTestId("when-test");
    expect(screen.getByText(words.testHint("training, depth"))).toBeTruthy();
    fireEvent.change(field, { target: { value: " " } });
    expect(screen.getByText(words.testEmpty)).toBeTruthy();
    fireEvent.change(field, { target: { value: "training and depth > 2" } });
    expect(node("n2")?.when).toBeNull();
    fireEvent.blur(field);
    expect(node("n2")?.when).toBe("training and depth > 2");
    expect(useDocument.getState().history.past).toHaveLength(1);
  });

  it("lets data go past it otherwise", async () => {
    expect(screen.queryByTestId("bypass")).toBeNull();
    await run(words.during.training);
    fireEvent.click(screen.getByTestId("bypass"));
    expect(given("n3").input).toEqual(choice("training", ref("n2"), ref("n1")));
    expect(screen.queryByTestId("bypass")).toBeNull();
    undo();
    expect(given("n3").input).toEqual(ref("n2"));
  });
});

describe("an argument that is one of two", () => {
  it("has a field for what is written and tells where the other comes from", async () => {
    await show("n3");
    const group = screen.getByRole("group", { name: "other" });
    expect(within(group).getByText(words.from("a"))).toBeTruthy();
    const field = within(group).getByLabelText(words.during.training);
    fireEvent.change(field, { target: { value: "0.25" } });
    expect(given("n3").other).toEqual(choice("training", 0.25, ref("n1")));
    undo();
    expect(given("n3").other).toEqual(choice("training", 0.5, ref("n1")));
  });

  it("is made of one value, and is one value again", async () => {
    await show("n3");
    act(() =>
      useDocument
        .getState()
        .apply("", (doc) => JSON.parse(JSON.stringify(doc).replace(/"other":\{.*?\}\}/, '"other":3'))),
    );
    expect(given("n3").other).toBe(3);
    const modes = text().common.forms.modes;
    fireEvent.click(screen.getByRole("button", { name: /^other: kind/ }));
    fireEvent.click(await screen.findByRole("menuitem", { name: modes.cases }));
    expect(given("n3").other).toEqual(choice("training", 3, 3));
    fireEvent.change(screen.getByLabelText(words.during.evaluation), { target: { value: "4" } });
    expect(given("n3").other).toEqual(choice("training", 3, 4));
    fireEvent.click(screen.getByRole("button", { name: /^other: kind/ }));
    fireEvent.click(await screen.findByRole("menuitem", { name: modes.float }));
    expect(given("n3").other).toBe(4);
  });

  it("is shown where no form has a field for it, with its condition", async () => {
    await show("n4");
    const group = screen.getByRole("group", { name: "input" });
    expect(within(group).getByText(words.from("mul"))).toBeTruthy();
    expect(within(group).getByText(words.from("x"))).toBeTruthy();
    fireEvent.change(within(group).getByLabelText(words.test), { target: { value: "depth > 3" } });
    expect(given("n4").input).toEqual(choice("depth > 3", ref("n3"), ref("x")));
  });
});

describe("what is returned", () => {
  it("differs while the network trains, each case in a form of its own", async () => {
    await show(OUTPUT);
    fireEvent.click(screen.getByTestId("output-cases"));
    expect(net().forward.output).toEqual(choice("training", ref("n3"), ref("n3")));
    const forms = screen.getAllByRole("radiogroup", { name: t.inspector.returns });
    expect(forms).toHaveLength(2);
    fireEvent.click(within(forms[0] as HTMLElement).getByLabelText(t.inspector.forms.tuple));
    expect(net().forward.output).toEqual(choice("training", { $tuple: [ref("n3")] }, ref("n3")));
    fireEvent.click(screen.getByRole("button", { name: t.inspector.addOutput }));
    expect(net().forward.output).toEqual(choice("training", { $tuple: [ref("n3"), null] }, ref("n3")));
    fireEvent.click(screen.getByTestId("output-cases"));
    expect(net().forward.output).toEqual(ref("n3"));
    expect(screen.getByText(words.returnsLost)).toBeTruthy();
    undo();
    expect(net().forward.output).toEqual(choice("training", { $tuple: [ref("n3"), null] }, ref("n3")));
  });
});
