import { beforeEach, describe, expect, it } from "vitest";
import { renameDocument } from "./edit";
import { digits, MAIN } from "./example.test-data";
import { canvasIds, place } from "./graph";
import { removeNodes } from "./nodes";
import { apply, currentDoc, placeSilently, useDocument } from "./store";

const positions = () => currentDoc().ui.blocks[MAIN]?.positions ?? {};
const everyId = Object.fromEntries(canvasIds(digits(), MAIN).map((id, index) => [id, { x: index, y: index }]));

describe("a gesture", () => {
  beforeEach(() => useDocument.getState().open(digits()));

  it("is one step, called by what it was in the end", () => {
    apply("Move", (doc) => renameDocument(doc, "moved"), "gesture");
    apply("Insert", (doc) => renameDocument(doc, "inserted"), "gesture");
    expect(useDocument.getState().history.past.map((step) => step.label)).toEqual(["Insert"]);
    useDocument.getState().undo();
    expect(currentDoc().name).toBe("Digits CNN");
    useDocument.getState().redo();
    expect(currentDoc().name).toBe("inserted");
  });
});

describe("a layout that is no step", () => {
  beforeEach(() => useDocument.getState().open(digits()));

  it("stays as steps are undone and done again", () => {
    apply("edit", (doc) => renameDocument(doc, "edited"));
    apply("remove", (doc) => removeNodes(doc, MAIN, ["n1"]));
    useDocument.getState().undo();
    placeSilently(MAIN, everyId);
    expect(positions().n1).toEqual({ x: 1, y: 1 });
    useDocument.getState().undo();
    expect(positions().n1).toEqual({ x: 1, y: 1 });
    useDocument.getState().redo();
    useDocument.getState().redo();
    expect(positions().n2).toEqual({ x: 2, y: 2 });
    expect(positions().n1).toBeUndefined();
  });

  it("leaves states alone in which everything has its place", () => {
    const drawn = place(
      digits(),
      MAIN,
      Object.fromEntries(canvasIds(digits(), MAIN).map((id) => [id, { x: 9, y: 9 }])),
    );
    useDocument.getState().open(drawn);
    placeSilently(MAIN, everyId);
    expect(currentDoc()).toBe(drawn);
  });
});
