import { describe, expect, it } from "vitest";
import { alias, block, call, holding, linear, network, use } from "./example.test-data";
import { memberAt } from "./members";
import { callAgain, callersOf, ownClass, ownMember, usesOf } from "./sharing";
import type { Block, Doc } from "./types";

const net = (doc: Doc): Block => doc.blocks.Net as Block;
const targets = (doc: Doc) => net(doc).forward.nodes.map((node) => node.target);
const names = (doc: Doc) => net(doc).members.map((member) => member.name);

describe("a member that is called again", () => {
  const once = () =>
    network(
      block(
        [linear("fc"), alias("same", "fc")],
        [{ op: "call", id: "n1", target: "fc", arguments: { input: { $ref: "x" }, flag: true } }],
        { $ref: "n1" },
      ),
    );
  const twice = () => callAgain(once(), "Net", "n1") as { doc: Doc; id: string };

  it("stays one member, called with the same options and no data yet", () => {
    const { doc, id } = twice();
    expect(names(doc)).toEqual(["fc", "same"]);
    expect(net(doc).forward.nodes.at(-1)).toMatchObject({ id, target: "fc", arguments: { flag: true } });
    expect(callersOf(net(doc), "same")).toEqual(["n1", id]);
  });

  it("becomes two when one of its nodes is detached", () => {
    const { doc, id } = twice();
    const apart = ownMember(doc, "Net", id);
    expect(targets(apart)).toEqual(["fc", "linear"]);
    expect(names(apart)).toEqual(["fc", "linear", "same"]);
    expect(ownMember(apart, "Net", id)).toBe(apart);
  });
});

describe("a block that is used several times", () => {
  const B = block([linear("fc")], [call("n1", "fc", "x")], { $ref: "n1" });
  const doc = () =>
    network(
      block(
        [
          use("a", "B"),
          holding("sequential", "f", use("0", "B"), {
            kind: "repeat",
            variables: ["i"],
            over: { $expr: "range(2)" },
            item: use("i", "B"),
          }),
        ],
        [call("n1", "a", "x", [], "x"), call("n2", "f", "n1")],
        { $ref: "n2" },
      ),
      { blocks: { B } },
    );

  it("is copied for one of them, wherever that is", () => {
    expect(usesOf(doc(), "B")).toBe(3);
    for (const path of ["a", "f.0", "f.*1"]) {
      const made = ownClass(doc(), "Net", path) as { doc: Doc; name: string };
      expect(made.name).toBe("B2");
      expect(made.doc.blocks.B2).toBe(made.doc.blocks.B);
      expect(usesOf(made.doc, "B")).toBe(2);
      expect(JSON.stringify(memberAt(net(made.doc), path))).toContain('"block":"B2"');
    }
  });

  it("is left alone where it is used once", () => {
    const once = ownClass(ownClass(doc(), "Net", "a")?.doc as Doc, "Net", "a");
    expect(once).toBeNull();
  });
});
