import { describe, expect, it } from "vitest";
import { copy, paste } from "./clipboard";
import { carrying } from "./code";
import { block, call, linear, network } from "./example.test-data";
import { normalise } from "./normalise";

const GATE = { source: "class Gate(nn.Module): ..." };
const TANH = { source: "class Tanh(nn.Module): ..." };
const own = (name: string) => ({ kind: "layer", name, target: "python.Gate", arguments: {} });
const gated = (code: object) => network(block([own("gate")], [call("n1", "gate", "x")], { $ref: "n1" }), { code });
const plain = (code: object = {}) => network(block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" }), { code });

describe("a document with layers of one's own", () => {
  it("keeps their code when it is opened and saved", () => {
    const code = { Gate: { source: "class Gate(nn.Module): ..." } };
    expect(normalise({ main: "Net", blocks: { Net: {} }, code }).code).toEqual(code);
    expect(normalise({ main: "Net", blocks: { Net: {} } }).code).toEqual({});
  });

  it("takes the code of a layer that it has not, and keeps what it has", () => {
    const taken = carrying(plain(), "python.Gate", GATE.source);
    expect(taken.code).toEqual({ Gate: GATE });
    expect(carrying(taken, "python.Gate", "another")).toBe(taken);
    expect(carrying(taken, "torch.nn.ReLU", undefined)).toBe(taken);
  });

  it("gives a copied part the code that it needs, and no other", () => {
    const text = copy(gated({ Gate: GATE, Tanh: TANH }), "Net", ["n1"]) as string;
    expect(paste(plain({ Tanh: TANH }), "Net", text, { x: 0, y: 0 }).doc.code).toEqual({ Tanh: TANH, Gate: GATE });
    expect(paste(plain(), "Net", text, { x: 0, y: 0 }).doc.code).toEqual({ Gate: GATE });
  });

  it("refuses a part that means another layer by a name", () => {
    const text = copy(gated({ Gate: GATE }), "Net", ["n1"]) as string;
    expect(() => paste(plain({ Gate: TANH }), "Net", text, { x: 0, y: 0 })).toThrow("code_differs: Gate");
  });
});
