/** What is offered before anything is typed: what was added last, then what networks mostly consist of. */
import { walkMembers } from "@/model/members";
import type { Doc } from "@/model/types";
import { byCategory } from "./categories";
import type { Listed } from "./things";

/** How often each layer and operation stands in some networks. */
export function countUses(docs: readonly Doc[]): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const block of docs.flatMap((doc) => Object.values(doc.blocks))) {
    for (const { member } of walkMembers(block)) if (member.kind === "layer") count(member.target);
    for (const node of block.forward.nodes) if (node.op === "function") count(node.target);
  }
  return counts;
}

/** `Conv2d` works along two axes, beside those of the batch and the channels. */
const along = (label: string): number | null => Number(/([123])d$/.exec(label)?.[1] ?? 0) || null;
/** Whether an entry takes a value of so many axes, as far as its name tells. */
export const suits = (listed: Listed, axes: number | null): boolean => {
  const its = along(listed.label);
  return axes === null || its === null || its + 2 === axes;
};

/** All entries, best first. `axes` is how many the value has that a new node is to take, where that is known. */
export function ordered(
  all: readonly Listed[],
  recent: readonly string[],
  uses: ReadonlyMap<string, number>,
  axes: number | null,
): Listed[] {
  const late = (listed: Listed) => (recent.includes(listed.id) ? recent.indexOf(listed.id) : recent.length);
  const often = (listed: Listed) => uses.get(listed.id) ?? 0;
  return all.toSorted(
    (a, b) =>
      Number(suits(b, axes)) - Number(suits(a, axes)) ||
      late(a) - late(b) ||
      often(b) - often(a) ||
      byCategory(a.category, b.category),
  );
}
