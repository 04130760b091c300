/** A class of a selection and of every place that is built like it, with arguments for the numbers that differ. */
import type { Offer, Site, Use } from "./alike";
import { renameMember } from "./arrange";
import { extract } from "./extract";
import { changeBlock, changeGraph, changeNode, nodeAt } from "./graph";
import { changeMember, join } from "./members";
import type { Arguments, Block, Doc, Item, Member } from "./types";

/**
 * Puts the first use into a new class that takes the chosen numbers as arguments, and calls of that class in the places
 * of all uses. Null where the selection can be no class.
 */
export function extractUses(
  doc: Doc,
  outer: string,
  uses: readonly Use[],
  chosen: readonly Offer[],
  wanted: string,
): { doc: Doc; ids: string[] } | null {
  const [own, ...others] = uses;
  const made = own && extract(doc, outer, own.ids, wanted);
  if (!own || !made) return null;
  let next = changeBlock(made.doc, made.block, (it) => withArguments(it, own.heads, chosen));
  next = give(next, outer, made.id, made.block, given(chosen, 0));
  const ids = [made.id];
  others.forEach((use, index) => {
    const copy = extract(next, outer, use.ids, made.block);
    if (!copy) return;
    const renamed = sameNames(copy.doc, copy.block, use.heads, own.heads);
    next = give(renamed, outer, copy.id, made.block, given(chosen, index + 1));
    next = without(next, outer, copy.id, copy.block, made.block);
    ids.push(copy.id);
  });
  return { doc: next, ids };
}

/** What an instance has to be given: the numbers that are not the same in all. */
const given = (chosen: readonly Offer[], use: number): Arguments =>
  Object.fromEntries(chosen.filter((it) => it.differs).map((it) => [it.name, it.values[use] ?? 0]));

function withArguments(block: Block, heads: readonly string[], chosen: readonly Offer[]): Block {
  const made = chosen.map((it): Block["arguments"][number] => ({
    name: it.name,
    type: it.values.every(Number.isInteger) ? "int" : "float",
    default: it.differs ? null : (it.values[0] ?? 0),
    required: it.differs,
  }));
  const all = [...block.arguments, ...made];
  const ordered = [...all.filter((it) => it.required), ...all.filter((it) => !it.required)];
  const sites = chosen.flatMap((it) => it.sites.map((site) => ({ site, name: it.name })));
  return sites.reduce((now, { site, name }) => byArgument(now, heads, site, name), { ...block, arguments: ordered });
}

/** A number in a member replaced by an argument. */
function byArgument(block: Block, heads: readonly string[], site: Site, name: string): Block {
  const change = (it: Member | Item): Member | Item => {
    if (it.kind === "repeat") return { ...it, item: change(it.item) as typeof it.item };
    if (it.kind !== "layer" && it.kind !== "block") return it;
    return { ...it, arguments: { ...it.arguments, [site.parameter]: { $expr: name } } };
  };
  const head = heads[site.head] ?? "";
  return changeMember(block, site.inside ? join(head, site.inside) : head, change);
}

/** Members of a class under the names that they have in another one. */
function sameNames(doc: Doc, block: string, from: readonly string[], to: readonly string[]): Doc {
  // By names that neither has: one member's new name may still be another's old one.
  const aside = from.map((_, index) => `moved_${index}_`);
  const once = from.reduce((now, name, index) => renameMember(now, block, name, aside[index] ?? name), doc);
  return aside.reduce((now, name, index) => renameMember(now, block, name, to[index] ?? name), once);
}

/** The member that a node calls becomes an instance of a class. */
function give(doc: Doc, outer: string, id: string, block: string, more: Arguments): Doc {
  const node = doc.blocks[outer] && nodeAt(doc.blocks[outer].forward, id);
  if (node?.op !== "call") return doc;
  return changeBlock(doc, outer, (it) =>
    changeMember(it, node.target, (member) =>
      member.kind === "block" ? { ...member, block, arguments: { ...member.arguments, ...more } } : member,
    ),
  );
}

/** Without a class that is the same as another one, whose inputs its call now feeds. */
function without(doc: Doc, outer: string, id: string, copy: string, original: string): Doc {
  const inputs = (name: string) => doc.blocks[name]?.forward.inputs.map((input) => input.name) ?? [];
  const [from, to] = [inputs(copy), inputs(original)];
  const called = changeGraph(doc, outer, (graph) =>
    changeNode(graph, id, (node) => {
      if (node.op !== "call") return node;
      const values = from.map((name, index) => [to[index] ?? name, node.arguments[name] ?? null] as const);
      return { ...node, arguments: Object.fromEntries(values) };
    }),
  );
  const { [copy]: _, ...blocks } = called.blocks;
  const { [copy]: __, ...views } = called.ui.blocks;
  return { ...called, blocks, ui: { ...called.ui, blocks: views } };
}
