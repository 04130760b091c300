import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { setLanguage, text } from "@/i18n";
import { digits, MAIN } from "@/model/example.test-data";
import { group } from "@/model/group";
import { nameOf } from "@/model/history";
import { memberAt } from "@/model/members";
import { currentDoc, useDocument } from "@/model/store";
import type { Block, Doc } from "@/model/types";
import { clearSelection, enterMain, openBlock, select, selectItem, useView } from "@/model/view";
import { addByHand } from "./adding";
import { commands, pasteText, removeCopied, selectionText } from "./commands";
import { type Listed, structureOf } from "./things";
import { stepBack } from "./useShortcuts";

const t = text().editor;
const main = () => currentDoc().blocks[MAIN] as Block;
const nodes = () => main().forward.nodes.map((node) => node.target);
const open = (doc: Doc) => {
  useDocument.getState().open(doc);
  enterMain(doc);
};
/** Ctrl+X. */
const cut = () => {
  const copied = selectionText() ?? "";
  removeCopied();
  return copied;
};

describe("cutting", () => {
  beforeEach(() => open(group(digits(), MAIN, ["n1", "n2", "n3"], "sequential", { name: "features" })));

  it("takes an item of a box alone, and pasting brings it back as a node", () => {
    selectItem("n3", "features.1");
    const copied = cut();
    expect(memberAt(main(), "features.1")).toMatchObject({ target: "torch.nn.ReLU" });
    pasteText(copied, t);
    expect(nodes()).toEqual(["features", "torch.flatten", "fc", "batch_norm"]);
  });

  it("leaves the inputs, which no copy holds", () => {
    select(["input:x", "n3", "n4", "n5", "output"]);
    const copied = cut();
    expect(nodes()).toEqual([]);
    expect(main().forward.inputs.map((input) => input.name)).toEqual(["x"]);
    pasteText(copied, t);
    expect(nodes()).toEqual(["features", "torch.flatten", "fc"]);
  });
});

const run = (id: string) =>
  void commands(t)
    .find((command) => command.id === id)
    ?.run();
const steps = () => useDocument.getState().history.past.map(({ label }) => nameOf(label, text()));

describe("calling again", () => {
  it("adds a node beside the first that shares its weights, and detaching gives it its own", () => {
    open(digits());
    select(["n1"]);
    run("callAgain");
    expect(nodes().filter((target) => target === "conv")).toHaveLength(2);
    const [made] = useView.getState().selection;
    expect(currentDoc().ui.blocks[MAIN]?.positions[made as string]).toBeDefined();
    run("detach");
    expect(nodes().at(-1)).toBe("conv2");
    expect(steps()).toEqual(["Call conv again", "Detach conv"]);
  });
});

describe("the names of steps", () => {
  afterEach(() => setLanguage("en"));

  it("follow a switch of the language, and still say what the step was about", async () => {
    open(digits());
    select(["n1"]);
    run("callAgain");
    addByHand(structureOf(currentDoc(), MAIN, t).find(({ id }) => id === "input") as Listed);
    select(["n2", "n3"]);
    run("duplicate");
    select([]);
    expect(steps()).toEqual(["Call conv again", "Add Input", "Duplicate 2 nodes"]);
    await setLanguage("zh");
    expect(steps()).toEqual(["再次调用 conv", "添加 输入", "复制 2 个节点"]);
  });
});

describe("Escape", () => {
  beforeEach(() => {
    open(digits());
    openBlock({ block: MAIN, instance: "inner" });
  });
  const depth = () => useView.getState().trail.length;

  it("lets go of the selection first, though the canvas has done so already, and then leaves the block", () => {
    select(["n1"]);
    clearSelection();
    stepBack(true);
    expect(depth()).toBe(2);
    stepBack(false);
    expect(depth()).toBe(1);
  });
});
