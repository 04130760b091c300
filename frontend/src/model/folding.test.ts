import { describe, expect, it } from "vitest";
import { foldLarge } from "./folding";
import { normalise } from "./normalise";

const chain = (length: number) => ({
  kind: "sequential",
  name: `chain${length}`,
  items: Array.from({ length }, (_, index) => ({ kind: "layer", name: String(index), target: "torch.nn.ReLU" })),
});

describe("foldLarge", () => {
  it("folds the boxes of many rows and leaves the others, and what was folded before", () => {
    const doc = normalise({
      main: "Net",
      blocks: {
        Net: {
          members: [chain(3), chain(9), chain(30)],
          forward: {
            inputs: [{ name: "x" }],
            nodes: [3, 9, 30].map((length) => ({ op: "call", id: `n${length}`, target: `chain${length}` })),
            output: { $ref: "n30" },
          },
        },
      },
      ui: { blocks: { Net: { positions: { n3: { x: 1, y: 2 } }, collapsed: ["n9"] } } },
    });
    const view = foldLarge(doc).ui.blocks.Net;
    expect(view).toEqual({ positions: { n3: { x: 1, y: 2 } }, collapsed: ["n9", "n30"] });
  });
});
