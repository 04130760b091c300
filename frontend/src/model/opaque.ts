/** Modules of somebody else's that an import could not open: they keep their places, and are replaced by one's own. */
import { addBlock, updateMember } from "./edit";
import { changeBlock, changeView, inputId } from "./graph";
import { bare, lastOf, memberAt } from "./members";
import type { Doc, Member } from "./types";

export type Opaque = Extract<Member, { kind: "opaque" }>;

/** A document in which an empty block of the same name and inputs stands in the place of a closed module. */
export function withOwnBlock(doc: Doc, block: string, path: string): { doc: Doc; name: string } | null {
  const found = doc.blocks[block] && memberAt(doc.blocks[block], path);
  const member = found && bare(found);
  if (member?.kind !== "opaque") return null;
  const made = addBlock(doc, lastOf(member.type).replace(/\W/g, "") || "Block");
  const given = member.inputs.map(({ name, keyword }) => ({ name, optional: keyword }));
  const inputs = given.length > 0 ? given : [{ name: "x", optional: false }];
  const first = inputs[0]?.name ?? "x";
  const taking = changeBlock(made.doc, made.name, (it) => ({
    ...it,
    doc: member.note && `In the place of a ${member.type}: ${member.note}.`,
    forward: { ...it.forward, inputs, output: { $ref: first, path: [] } },
  }));
  const seen = changeView(taking, made.name, (view) => ({
    ...view,
    positions: {
      ...Object.fromEntries(inputs.map(({ name }, index) => [inputId(name), { x: index * 200, y: 0 }])),
      output: { x: 0, y: 240 },
    },
  }));
  const use = (it: Opaque) =>
    ({ kind: "block", name: it.name, block: made.name, arguments: {}, when: it.when }) satisfies Member;
  return { doc: updateMember(seen, block, path, (it) => (it.kind === "opaque" ? use(it) : it)), name: made.name };
}
