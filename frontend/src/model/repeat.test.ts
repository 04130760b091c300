import { describe, expect, it } from "vitest";
import { setKey } from "./choose";
import { block, call, holding, linear, network } from "./example.test-data";
import { memberAt } from "./members";
import {
  canRepeat,
  canStop,
  countOf,
  renameVariable,
  repeatedPath,
  repeatItem,
  setOver,
  stopRepeat,
  timesText,
} from "./repeat";
import type { Block, Doc, Repeat } from "./types";

const net = (doc: Doc): Block => doc.blocks.Net as Block;
const stack = () =>
  network(block([holding("sequential", "f", linear("0"), linear("1"))], [call("n1", "f", "x")], null));
const repeat = (doc: Doc) => memberAt(net(doc), "f.*1") as Repeat;

describe("a repeated item", () => {
  it("is made of an item, counted, and an item again", () => {
    const doc = repeatItem(stack(), "Net", "f.1", 3);
    expect(repeatedPath(net(stack()), "f.1")).toBe("f.*1");
    expect(countOf(repeat(doc))).toBe(3);
    // As Python writes it, where nothing uses the number.
    expect(repeat(doc).variables).toEqual(["_"]);
    expect(countOf(repeat(setOver(doc, "Net", "f.*1", "range(12)")))).toBe(12);
    expect(countOf(repeat(setOver(doc, "Net", "f.*1", "widths")))).toBeNull();
    expect(timesText(repeat(doc))).toBe("3");
    expect(timesText(repeat(setOver(doc, "Net", "f.*1", "widths")))).toBe("widths");
    expect(stopRepeat(doc, "Net", "f.*1")).toEqual(stack());
  });

  it("renames its variables where they are used, and is kept while they are", () => {
    const sized = { ...linear("1"), arguments: { out_features: { $expr: "8 * i" } } };
    const over = { kind: "repeat", variables: ["i"], over: { $expr: "range(2)" }, item: sized };
    const doc = renameVariable(
      network(block([holding("sequential", "f", linear("0"), over)], [], null)),
      "Net",
      "f.*1",
      "i",
      "depth",
    );
    expect(repeat(doc)).toMatchObject({
      variables: ["depth"],
      item: { arguments: { out_features: { $expr: "8 * depth" } } },
    });
    expect(canStop(repeat(doc))).toBe(false);
    expect(stopRepeat(doc, "Net", "f.*1")).toEqual(doc);
  });

  it("is none where nodes call the items one by one", () => {
    const list = network(block([holding("module_list", "l", linear("0"))], [call("n1", "l.0", "x")], null));
    expect(canRepeat(net(list), "l.0")).toBe(false);
    expect(canRepeat(net(stack()), "f")).toBe(false);
  });
});

describe("the key of a choice", () => {
  const doc = (key: string | null, path: string[]) =>
    network(
      block(
        [holding("module_dict", "heads", linear("a"), linear("b")), linear("fc")],
        [{ op: "choose", id: "n1", target: "heads", key, arguments: {} }, call("n2", "fc", "n1", path)],
        null,
      ),
    );
  const given = (it: Doc) => JSON.stringify(net(it).forward.nodes[1]);

  it("takes the same item's result as before", () => {
    expect(given(setKey(doc(null, ["a"]), "Net", "n1", "a"))).toBe(given(doc("a", [])));
    expect(given(setKey(doc("a", []), "Net", "n1", null))).toBe(given(doc(null, ["a"])));
    expect(given(setKey(doc(null, ["b"]), "Net", "n1", "a"))).not.toContain("$ref");
    expect(given(setKey(doc("a", []), "Net", "n1", "b"))).toBe(given(doc("b", [])));
  });
});
