/** Any edits: what is undone and redone, grouped and dissolved, or pasted and deleted comes out as it was. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { copy, paste } from "./clipboard";
import { type Draw, EDIT_KINDS, edited, edits, example, faultOf, portIn } from "./edits.test-data";
import { type GroupKind, group, groupRefused } from "./group";
import { applied, begin, redone, undone } from "./history";
import { memberAt } from "./members";
import { removeNodes } from "./nodes";
import { normalise } from "./normalise";
import type { Block, Doc } from "./types";
import { ungroup } from "./ungroup";

/** A fixed seed: the same edits wherever they run. */
const RUNS = { numRuns: 1_000, seed: 20_261_130 };
const MOST = 14;

/** Fails when something writes into it. */
function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(frozen);
  return value;
}

const drawn = (all: readonly Draw[]): Doc => all.reduce((doc, draw) => frozen(edited(doc, draw)), frozen(example()));

describe("any edits", () => {
  it("are undone to the start and redone to the end", () => {
    const changing = new Set<string>();
    fc.assert(
      fc.property(edits(MOST), (all) => {
        const start = frozen(example());
        const seen = [JSON.stringify(start)];
        let history = begin(start);
        for (const draw of all) {
          const before = history;
          history = applied(history, draw.kind, frozen(edited(history.doc, draw)));
          if (history === before) continue;
          changing.add(draw.kind);
          expect(faultOf(history.doc), draw.kind).toBeNull();
          seen.push(JSON.stringify(history.doc));
        }
        for (const text of seen.toReversed().slice(1)) {
          history = undone(history);
          expect(JSON.stringify(history.doc)).toBe(text);
        }
        expect(history.doc).toBe(start);
        for (const text of seen.slice(1)) {
          history = redone(history);
          expect(JSON.stringify(history.doc)).toBe(text);
        }
        expect(history.future).toEqual([]);
      }),
      RUNS,
    );
    expect([...changing].toSorted()).toEqual(EDIT_KINDS.toSorted());
  });

  it("leave what the service gives back as it was sent", () => {
    fc.assert(
      fc.property(edits(MOST), (all) => {
        const doc = drawn(all);
        expect(normalise(JSON.parse(JSON.stringify(doc)))).toEqual(doc);
      }),
      RUNS,
    );
  });

  it.each<[GroupKind]>([["sequential"], ["module_list"], ["module_dict"]])(
    "group and ungroup as a %s are the identity",
    (kind) => {
      let tried = 0;
      fc.assert(
        fc.property(edits(MOST), fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), (all, chosen) => {
          const doc = drawn(all);
          for (const [name, block] of Object.entries(doc.blocks)) {
            const ids = [
              ...new Set(
                chosen.flatMap((at) => block.forward.nodes[at % Math.max(1, block.forward.nodes.length)]?.id ?? []),
              ),
            ];
            if (groupRefused(block, ids, kind) !== null) continue;
            tried += 1;
            const grouped = group(doc, name, ids, kind, { name: "together", keepNames: true });
            expect(memberAt(grouped.blocks[name] as Block, "together")?.kind).toBe(kind);
            const back = ungroup(grouped, name, "together", portIn(grouped, name));
            expect(alike(back, name, kind)).toEqual(alike(doc, name, kind));
          }
        }),
        RUNS,
      );
      expect(tried).toBeGreaterThan(100);
    },
  );

  it("copy, paste and delete are the identity", () => {
    let tried = 0;
    fc.assert(
      fc.property(edits(MOST), fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }), (all, chosen) => {
        const doc = drawn(all);
        for (const [name, block] of Object.entries(doc.blocks)) {
          const ids = new Set(
            chosen.flatMap((at) => block.forward.nodes[at % Math.max(1, block.forward.nodes.length)]?.id ?? []),
          );
          const text = copy(doc, name, ids);
          if (text === null) continue;
          tried += 1;
          const pasted = paste(doc, name, text, { x: 10, y: 20 });
          expect(pasted.ids).toHaveLength(ids.size);
          expect(faultOf(pasted.doc)).toBeNull();
          expect(removeNodes(pasted.doc, name, pasted.ids)).toEqual(doc);
        }
      }),
      RUNS,
    );
    expect(tried).toBeGreaterThan(500);
  });
});

/**
 * A document without what grouping may choose: the order of members; what nodes of a chain are called on the canvas,
 * where they are told apart by what they call; and what the items of a list, which have only numbers, are called outside.
 */
function alike(doc: Doc, name: string, kind: GroupKind): unknown {
  const block = doc.blocks[name] as Block;
  const calls = block.forward.nodes.filter((node) => node.op === "call");
  const once = calls.filter((node) => calls.filter((it) => it.target === node.target).length === 1);
  const ids = new Map(kind === "sequential" ? once.map((node) => [node.id, `call of ${node.target}`]) : []);
  const names = new Map(kind === "module_list" ? once.map((node) => [node.target, `what ${node.id} calls`]) : []);
  const nodes = block.forward.nodes.map((node) => ({
    ...node,
    id: ids.get(node.id) ?? node.id,
    target: names.get(node.target) ?? node.target,
    ...("arguments" in node ? { arguments: relinked(node.arguments, ids) } : {}),
  }));
  const members = block.members.map((member) => ({ ...member, name: names.get(member.name) ?? member.name }));
  const { ui: _, ...rest } = doc;
  const forward = {
    ...block.forward,
    nodes: nodes.toSorted((a, b) => a.id.localeCompare(b.id)),
    output: relinked(block.forward.output, ids),
  };
  const same = { ...block, members: members.toSorted((a, b) => a.name.localeCompare(b.name)), forward };
  return { ...rest, blocks: { ...doc.blocks, [name]: same } };
}

const relinked = (value: unknown, ids: ReadonlyMap<string, string>): unknown =>
  JSON.parse(JSON.stringify(value), (_, it) =>
    typeof it === "object" && it !== null && "$ref" in it ? { ...it, $ref: ids.get(it.$ref) ?? it.$ref } : it,
  );
