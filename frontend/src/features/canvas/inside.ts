/** Problems inside the blocks that a node calls: its own place shows that there are some, and leads to the first. */
import type { Problem, Report } from "@/api/types";
import { bare, inside as liesIn, memberAt, real, walkMembers } from "@/model/members";
import { type Place, qualified } from "@/model/report";
import type { Block, Doc, Item, Member } from "@/model/types";

export type Inside = {
  problem: Problem | null;
  /** Paths of the members below whose blocks the problems lie. */
  paths: string[];
};
export const NOTHING_INSIDE: Inside = { problem: null, paths: [] };

type Scene = { doc: Doc; place: Place; report: Report | null };

/** What is wrong inside the member at a path, or inside its items. */
export function problemsInside({ doc, place, report }: Scene, block: Block, target: string): Inside {
  if (!report || report.problems.length === 0) return NOTHING_INSIDE;
  const path = real(block, target);
  const uses = usesBelow(block, path);
  if (uses.length === 0) return NOTHING_INSIDE;
  const found: Problem[] = [];
  const paths: string[] = [];
  for (const use of uses) {
    const classes = classesIn(doc, use.block);
    const its = report.problems.filter((problem) =>
      problem.instance === null
        ? problem.block !== null && classes.has(problem.block)
        : liesIn(problem.instance, qualified(place.instance, use.path)) && problem.block !== place.block,
    );
    found.push(...its);
    if (its.length > 0) paths.push(use.path);
  }
  const problem = found.find((it) => it.severity === "error") ?? found[0] ?? null;
  return problem ? { problem, paths } : NOTHING_INSIDE;
}

/** The instances of blocks at a path and below it. */
function usesBelow(block: Block, path: string): { path: string; block: string }[] {
  const member = memberAt(block, path);
  const all: { path: string; member: Member | Item }[] = member ? [{ path, member }] : [];
  if (member && "items" in bare(member))
    all.push(...walkMembers(block).filter((it) => it.path !== path && liesIn(it.path, path)));
  return all.flatMap((it) => {
    const use = bare(it.member);
    return use.kind === "block" ? [{ path: it.path, block: use.block }] : [];
  });
}

/** A class and those that it is made of. */
function classesIn(doc: Doc, name: string): ReadonlySet<string> {
  const found = new Set([name]);
  // A set may grow while it is walked.
  for (const each of found) {
    const block = doc.blocks[each];
    for (const { member } of block ? walkMembers(block) : []) {
      const use = bare(member);
      if (use.kind === "block") found.add(use.block);
    }
  }
  return found;
}
