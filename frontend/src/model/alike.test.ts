import { describe, expect, it } from "vitest";
import { alike, type Defaults, offers } from "./alike";
import { block, call, network } from "./example.test-data";
import { extractUses } from "./extractUses";
import { edges } from "./graph";
import { normalise } from "./normalise";
import type { Block, Doc } from "./types";

const net = (doc: Doc, name = "Net"): Block => doc.blocks[name] as Block;
const layer = (name: string, target: string, args: object = {}) => ({
  kind: "layer",
  name,
  target: `torch.nn.${target}`,
  arguments: args,
});
const conv = (name: string, out_channels: number, more: object = {}) =>
  layer(name, "Conv2d", { in_channels: { $auto: true }, out_channels, kernel_size: 3, padding: 1, ...more });
const defaults: Defaults = (_, parameter) => (parameter === "stride" ? 1 : undefined);

/** Three times convolution, normalization and activation; the second one has a stride, which the others leave out. */
const chain = () => {
  const widths = [16, 32, 64];
  const members = widths.flatMap((width, index) => [
    conv(`conv${index || ""}`, width, index === 1 ? { stride: 2 } : {}),
    layer(`norm${index || ""}`, "BatchNorm2d", { num_features: { $auto: true } }),
    layer(`relu${index || ""}`, "ReLU"),
  ]);
  const nodes = members.map((member, index) =>
    call(`n${index + 1}`, (member as { name: string }).name, index === 0 ? "x" : `n${index}`),
  );
  const doc = network(block(members, nodes, { $ref: "n9" }), { frozen: ["conv1.weight", "norm2.*"] });
  return { ...doc, inputs: { x: { ...doc.inputs.x, shape: [3, 8, 8] } } } as Doc;
};

describe("places that are built alike", () => {
  it("are found whatever their numbers, the selection first", () => {
    const { uses } = alike(net(chain()), ["n4", "n5", "n6"], defaults);
    expect(uses.map((use) => use.ids)).toEqual([
      ["n4", "n5", "n6"],
      ["n1", "n2", "n3"],
      ["n7", "n8", "n9"],
    ]);
  });

  it("are found where their results are not connected yet", () => {
    const doc = chain();
    const open = { ...net(doc), forward: { ...net(doc).forward, output: null } };
    expect(alike(open, ["n1", "n2", "n3"], defaults).uses).toHaveLength(3);
  });

  it("offer the numbers that differ first, with defaults where nothing is said", () => {
    const found = offers(alike(net(chain()), ["n1", "n2", "n3"], defaults), [], defaults);
    expect(found.map(({ name, values, differs }) => [name, values, differs])).toEqual([
      ["out_channels", [16, 32, 64], true],
      ["stride", [1, 2, 1], true],
      ["kernel_size", [3, 3, 3], false],
      ["padding", [1, 1, 1], false],
    ]);
  });

  it("are not found where a number without a default is not said, or where something else differs", () => {
    const doc = chain();
    const changed = (member: object, index: number) =>
      normalise({ ...doc, blocks: { Net: { ...net(doc), members: net(doc).members.with(index, member as never) } } });
    const unsaid = conv("conv1", 32, { dilation: 2 });
    expect(alike(net(changed(unsaid, 3)), ["n1", "n2", "n3"], defaults).uses).toHaveLength(2);
    const other = conv("conv1", 32, { bias: false });
    expect(alike(net(changed(other, 3)), ["n1", "n2", "n3"], defaults).uses).toHaveLength(2);
  });

  it("become calls of one class, with what differs as arguments, and names follow", () => {
    const doc = chain();
    const found = alike(net(doc), ["n1", "n2", "n3"], defaults);
    const all = offers(found, [], defaults);
    const made = extractUses(doc, "Net", found.uses, all.slice(0, 3), "Stage");
    const after = made?.doc as Doc;
    expect(Object.keys(after.blocks)).toEqual(["Net", "Stage"]);
    expect(net(after, "Stage").arguments).toEqual([
      { name: "out_channels", type: "int", default: null, required: true },
      { name: "stride", type: "int", default: null, required: true },
      { name: "kernel_size", type: "int", default: 3, required: false },
    ]);
    expect(net(after, "Stage").members[0]).toMatchObject({
      name: "conv",
      arguments: {
        out_channels: { $expr: "out_channels" },
        stride: { $expr: "stride" },
        kernel_size: { $expr: "kernel_size" },
        padding: 1,
      },
    });
    expect(net(after).members).toMatchObject([
      { name: "stage", block: "Stage", arguments: { out_channels: 16, stride: 1 } },
      { name: "stage2", block: "Stage", arguments: { out_channels: 32, stride: 2 } },
      { name: "stage3", block: "Stage", arguments: { out_channels: 64, stride: 1 } },
    ]);
    expect(after.frozen).toEqual(["stage2.conv.weight", "stage3.norm.*"]);
    const [a, b, c] = made?.ids ?? [];
    expect(edges(net(after).forward).map((edge) => edge.id)).toEqual([
      `input:x→${a}:x`,
      `${a}→${b}:x`,
      `${b}→${c}:x`,
      `${c}→output:`,
    ]);
    expect(Object.keys(after.ui.blocks).filter((name) => !(name in after.blocks))).toEqual([]);
  });

  it("are left alone where only the selection is wanted, whose numbers become arguments with defaults", () => {
    const doc = chain();
    const { uses, sites } = alike(net(doc), ["n4", "n5", "n6"], defaults);
    const own = { uses: uses.slice(0, 1), sites };
    const made = extractUses(doc, "Net", own.uses, offers(own, [], defaults), "Stage");
    const stage = net(made?.doc as Doc, "Stage");
    expect(stage.arguments.map(({ name, default: by, required }) => [name, by, required])).toEqual([
      ["out_channels", 32, false],
      ["kernel_size", 3, false],
      ["padding", 1, false],
      ["stride", 2, false],
    ]);
    expect(net(made?.doc as Doc).members.map((it) => it.name)).toEqual([
      "conv",
      "norm",
      "relu",
      "stage",
      "conv2",
      "norm2",
      "relu2",
    ]);
  });
});
