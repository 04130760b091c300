import { describe, expect, it } from "vitest";

import { memberAt } from "@/model/members";
import { removeNodes } from "@/model/nodes";
import { normalise } from "@/model/normalise";
import { type Opaque, withOwnBlock } from "@/model/opaque";
import { memberPorts } from "@/model/ports";
import type { Block, Doc } from "@/model/types";
import { createBuilder } from "./flow";

const closed = {
  kind: "opaque",
  name: "transform",
  type: "torchvision.models.detection.transform.GeneralizedRCNNTransform",
  note: "what it does depends on the numbers that it is given",
  inputs: [
    { name: "images", keyword: false },
    { name: "targets", keyword: true },
  ],
  tensors: {
    weight: { shape: [3, 4], dtype: "float32", buffer: false },
    seen: { shape: [], dtype: "int64", buffer: true },
  },
  when: null,
} satisfies Opaque;

const document = (): Doc =>
  normalise({
    main: "Network",
    blocks: {
      Network: {
        members: [closed, { kind: "module_list", name: "rows", items: [{ ...closed, name: "0" }] }],
        forward: {
          inputs: [{ name: "x" }],
          nodes: [{ op: "call", id: "n1", target: "transform", arguments: { images: { $ref: "x", path: [] } } }],
          output: { $ref: "n1", path: [] },
        },
      },
    },
  });
const network = (doc: Doc) => doc.blocks.Network as Block;

describe("a module that could not be opened", () => {
  it("is saved as it came", () => {
    const doc = document();
    expect(memberAt(network(doc), "transform")).toEqual(closed);
    expect(normalise(JSON.parse(JSON.stringify(doc)))).toEqual(doc);
    expect(
      normalise({ main: "N", blocks: { N: { members: [{ kind: "opaque", name: "a" }] } } }).blocks.N?.members,
    ).toEqual([{ kind: "opaque", name: "a", type: "", note: "", inputs: [], tensors: {}, when: null }]);
  });

  it("has the inputs that it was called with", () => {
    const doc = document();
    expect(memberPorts(doc, network(doc), memberAt(network(doc), "transform"), () => undefined).inputs).toEqual([
      { name: "images", many: false, required: true },
      { name: "targets", many: false, required: false },
    ]);
  });

  it("is drawn as what it is, under the name of its class", () => {
    const scene = { doc: document(), place: { block: "Network", instance: "" }, lookup: () => undefined, report: null };
    const node = createBuilder()(scene).nodes.find((it) => it.id === "n1");
    expect(node?.data).toMatchObject({
      opaque: true,
      label: "GeneralizedRCNNTransform",
      member: "transform",
      category: "opaque",
      detail: closed.type,
    });
  });

  it("goes with its last node", () => {
    expect(memberAt(network(removeNodes(document(), "Network", ["n1"])), "transform")).toBeNull();
  });

  it.each(["transform", "rows.0"])("makes room for a block of one's own: %s", (path) => {
    const made = withOwnBlock(document(), "Network", path);
    expect(made?.name).toBe("GeneralizedRCNNTransform");
    const doc = made?.doc as Doc;
    const name = path === "transform" ? path : "0";
    expect(memberAt(network(doc), path)).toEqual({
      kind: "block",
      name,
      block: "GeneralizedRCNNTransform",
      arguments: {},
      when: null,
    });
    expect(doc.blocks.GeneralizedRCNNTransform?.forward.inputs).toEqual([
      { name: "images", optional: false },
      { name: "targets", optional: true },
    ]);
    expect(network(doc).forward).toEqual(network(document()).forward);
  });

  it("is the only kind of member that is replaced so", () => {
    expect(withOwnBlock(document(), "Network", "rows")).toBeNull();
  });
});
