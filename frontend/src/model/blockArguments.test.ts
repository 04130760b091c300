import { describe, expect, it } from "vitest";
import { argumentUses, removeArgument, renameArgument } from "./blockArguments";
import { block, call, holding, linear, network, use } from "./example.test-data";
import { renameIn } from "./expressions";
import type { Block, Doc } from "./types";

const expr = (text: string) => ({ $expr: text });
const sized = (name: string, text: string) => ({ ...linear(name), arguments: { out_features: expr(text) } });
const over = (variable: string, text: string, item: unknown) => ({
  kind: "repeat",
  variables: [variable],
  over: expr(text),
  item,
});
const doc = (): Doc => {
  const members = [
    sized("fc", "2 * width"),
    holding("module_list", "layers", over("i", "range(width)", sized("0", "width + i"))),
    holding("sequential", "others", over("width", "[width, 8]", sized("0", "width"))),
    holding("module_dict", "heads", over("name", "names", linear("name"))),
  ];
  const B = {
    ...block(members, [call("n1", "fc", "x")], { $ref: "n1" }),
    arguments: [{ name: "width" }, { name: "names", type: "list[str]" }, { name: "idle" }],
  };
  const given = { width: 4, idle: 1 };
  const inner = holding("module_list", "list", over("j", "range(3)", { ...use("0", "B"), arguments: given }));
  return network(block([{ ...use("b", "B"), arguments: given }, inner], [], null), { blocks: { B } });
};
const members = (it: Doc) => JSON.stringify((it.blocks.B as Block).members);
const given = (it: Doc) => JSON.stringify((it.blocks.Net as Block).members).match(/"arguments":\{[^}]*\}/g);

describe("an argument's name", () => {
  it.each([
    ["2 * width", "2 * size"],
    ["widths[width]", "widths[size]"],
    ["f(width=width)", "f(width=size)"],
    ["'width' if width == 1 else a.width", "'width' if size == 1 else a.width"],
  ])("in %s", (text, renamed) => expect(renameIn(text, "width", "size")).toBe(renamed));

  it("is followed by expressions, but not where a repeat's variable hides it, and by all instances", () => {
    const renamed = renameArgument(doc(), "B", "width", "size");
    expect(members(renamed)).toContain("2 * size");
    expect(members(renamed)).toContain("range(size)");
    expect(members(renamed)).toContain("size + i");
    expect(members(renamed)).toContain("[size, 8]");
    expect(members(renamed)).toContain('"out_features":{"$expr":"width"}');
    expect(given(renamed)).toEqual(['"arguments":{"size":4,"idle":1}', '"arguments":{"size":4,"idle":1}']);
    expect(members(renameArgument(doc(), "B", "names", "keys"))).toContain('"over":{"$expr":"keys"}');
  });

  it("goes with its values at every instance, unless something uses it", () => {
    expect(given(removeArgument(doc(), "B", "idle"))).toEqual(['"arguments":{"width":4}', '"arguments":{"width":4}']);
    const before = doc();
    expect(removeArgument(before, "B", "width")).toBe(before);
    expect(argumentUses(before.blocks.B as Block, "width")).toEqual(["fc", "layers", "others"]);
  });
});
