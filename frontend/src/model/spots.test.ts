import { describe, expect, it } from "vitest";
import { digits, MAIN } from "./example.test-data";
import { place } from "./graph";
import { addFunction, addInput } from "./nodes";
import { column } from "./room";
import { freePlace, putBelow, sizeOf } from "./spots";
import type { Doc, Position } from "./types";

const none = () => undefined;
const drawn = (): Doc => {
  const doc = digits();
  const ids = ["input:x", "n1", "n2", "n3", "n4", "n5", "output"];
  return place(doc, MAIN, column(doc, MAIN, ids, { x: 0, y: 0 }));
};
const positionsOf = (doc: Doc): { [id: string]: Position } => doc.ui.blocks[MAIN]?.positions ?? {};
/** Nodes that a node would lie over. */
const under = (doc: Doc, id: string, at: Position): string[] => {
  const own = sizeOf(doc, MAIN, id, none);
  return Object.entries(positionsOf(doc)).flatMap(([other, { x, y }]) => {
    const its = sizeOf(doc, MAIN, other, none);
    const apart = x >= at.x + own.width || at.x >= x + its.width || y >= at.y + own.height || at.y >= y + its.height;
    return other === id || apart ? [] : [other];
  });
};

describe("a node without a place of its own", () => {
  it("lies over no other, wherever it is wished", () => {
    for (const y of [0, 60, 130, 400, 900]) {
      const doc = addFunction(drawn(), MAIN, { target: "torch.relu" }, "n9", { x: 0, y });
      expect(under(doc, "n9", freePlace(doc, MAIN, "n9", { x: 20, y }, none))).toEqual([]);
    }
    const input = addInput(drawn(), MAIN, "y", { x: 0, y: 0 });
    expect(under(input, "input:y", freePlace(input, MAIN, "input:y", { x: 0, y: 0 }, none))).toEqual([]);
  });

  it("stays where it is wished when nothing is there", () => {
    expect(freePlace(drawn(), MAIN, "n9", { x: 700.4, y: 33 }, none)).toEqual({ x: 700, y: 33 });
  });

  it("goes below another, beside what is there already", () => {
    const doc = addFunction(drawn(), MAIN, { target: "torch.relu" }, "n9", { x: 0, y: 0 });
    const put = putBelow(doc, MAIN, "n9", "n2", none);
    const at = positionsOf(put).n9 as Position;
    expect(under(put, "n9", at)).toEqual([]);
    expect(at.y).toBeGreaterThan((positionsOf(doc).n2?.y ?? 0) + sizeOf(doc, MAIN, "n2", none).height);
  });

  it("goes where the output stands, which gives way", () => {
    const doc = addFunction(drawn(), MAIN, { target: "torch.relu" }, "n9", { x: 600, y: 0 });
    const put = positionsOf(putBelow(doc, MAIN, "n9", "n5", none));
    expect(put.n9).toEqual({ x: 0, y: positionsOf(doc).output?.y });
    expect(put.output?.y).toBeGreaterThan((put.n9?.y ?? 0) + sizeOf(doc, MAIN, "n9", none).height);
  });
});
