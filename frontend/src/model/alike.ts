/** Places of a block that are built alike: the same layers and operations, wired the same way, whatever their numbers. */
import { extractRefused } from "./extract";
import { changeRefs, type Edge, edges, nodeAt } from "./graph";
import { bare, headOf, mapMember, memberAt, real, walkMembers } from "./members";
import { unique } from "./names";
import type { Arguments, Block, GraphNode, Ref } from "./types";

/** A number that a layer or block inside a use is given. */
export type Site = {
  /** Which of the members that the nodes call, in the order of their calls, and where inside it. */
  head: number;
  inside: string;
  parameter: string;
  /** Of whom the parameter is: a layer's full name, or a class of the document. */
  target: string;
};

/** One place: its nodes and the members that they call, each in an order in which all uses correspond. */
export type Use = { ids: string[]; heads: string[]; numbers: ReadonlyMap<string, number> };

export type Uses = {
  /** The selection first. */
  uses: Use[];
  sites: ReadonlyMap<string, Site>;
};

/** A number that may become an argument of the class. */
export type Offer = {
  name: string;
  sites: Site[];
  /** In each use. */
  values: number[];
  differs: boolean;
};

/** What a parameter is where a member does not say; undefined for what has to be said, or is no number. */
export type Defaults = (target: string, parameter: string) => number | undefined;

/** Steps of the search after which it stops: a selection of many parts could fit in any number of ways. */
const MOST_STEPS = 20_000;

const key = (site: Site): string => `${site.head}/${site.inside}/${site.parameter}`;

/** The selected nodes and every other place of the block that is built like them, none of which overlap. */
export function alike(block: Block, ids: readonly string[], defaults: Defaults): Uses {
  const chosen = new Set(ids);
  const order = block.forward.nodes.flatMap((node) => (chosen.has(node.id) ? [node.id] : []));
  const own = form(block, order);
  if (own === null || extractRefused(block, order)) return { uses: [], sites: new Map() };
  const sites = new Map(own.sites);
  const uses: Use[] = [own.use];
  const taken = new Set(order);
  const corresponding = search(block, order, taken);
  for (const start of block.forward.nodes) {
    const images = corresponding(start, (found) => {
      const other = form(block, found);
      return other?.text === own.text && !extractRefused(block, found) && told(other, own, defaults);
    });
    const other = images && form(block, images);
    if (!other) continue;
    for (const id of other.use.ids) taken.add(id);
    for (const [name, site] of other.sites) sites.set(name, site);
    uses.push(other.use);
  }
  return { uses, sites };
}

/** The numbers of uses, those first that are not the same in all. What always goes together is one offer. */
export function offers({ uses, sites }: Uses, reserved: Iterable<string>, defaults: Defaults): Offer[] {
  const found = new Map<string, Offer>();
  for (const [name, site] of sites) {
    const values = uses.map((use) => use.numbers.get(name) ?? defaults(site.target, site.parameter) ?? Number.NaN);
    if (values.some(Number.isNaN)) continue;
    const together = `${site.parameter}:${values.join()}`;
    const known = found.get(together);
    if (known) known.sites.push(site);
    else found.set(together, { name: site.parameter, sites: [site], values, differs: new Set(values).size > 1 });
  }
  const sorted = [...found.values()].sort((a, b) => Number(b.differs) - Number(a.differs));
  const names = new Set(reserved);
  return sorted.map((offer) => {
    const name = unique(offer.name, names);
    names.add(name);
    return { ...offer, name };
  });
}

/** Whether each number that only one of two uses states has a default for the other. */
function told(one: Form, other: Form, defaults: Defaults): boolean {
  const lacks = (from: Form, in_: Form) =>
    [...from.sites].some(
      ([name, { target, parameter }]) => !in_.sites.has(name) && defaults(target, parameter) === undefined,
    );
  return !lacks(one, other) && !lacks(other, one);
}

type Form = { text: string; use: Use; sites: Map<string, Site> };

/** What nodes are without their names and numbers, as a text; null where something goes by an alias. */
function form(block: Block, ids: readonly string[]): Form | null {
  const at = new Map(ids.map((id, index) => [id, index]));
  const heads: string[] = [];
  const headIndex = (path: string): number => {
    const head = headOf(path);
    if (!heads.includes(head)) heads.push(head);
    return heads.indexOf(head);
  };
  const entering: string[] = [];
  const seen = (from: Ref): Ref => {
    const index = at.get(from.$ref);
    if (index !== undefined) return { ...from, $ref: `n${index}` };
    const name = JSON.stringify([from.$ref, from.path]);
    if (!entering.includes(name)) entering.push(name);
    return { $ref: `in${entering.indexOf(name)}`, path: [] };
  };
  const nodes = ids.flatMap((id) => nodeAt(block.forward, id) ?? []);
  const plain = changeRefs({ inputs: [], nodes, output: null }, seen).nodes.map((node, index): GraphNode => {
    if (node.op === "function") return { ...node, id: `n${index}`, name: null };
    const target = `${headIndex(node.target)}${node.target.slice(headOf(node.target).length)}`;
    return { ...node, id: `n${index}`, name: null, target };
  });
  if (nodes.some((node) => node.op !== "function" && real(block, node.target) !== node.target)) return null;
  const sites = new Map<string, Site>();
  const numbers = new Map<string, number>();
  const members = heads.map((name, head) => {
    const member = memberAt(block, name);
    if (member === null) return null;
    for (const { path, member: it } of walkMembers({
      ...block,
      members: block.members.filter((m) => m.name === name),
    })) {
      const own = bare(it);
      if (own.kind !== "layer" && own.kind !== "block") continue;
      const target = own.kind === "layer" ? own.target : own.block;
      for (const [parameter, value] of Object.entries(own.arguments)) {
        if (typeof value !== "number") continue;
        const site = { head, inside: path.slice(name.length + 1), parameter, target };
        sites.set(key(site), site);
        numbers.set(key(site), value);
      }
    }
    const bared = mapMember(member, (it) => ("arguments" in it ? { ...it, arguments: unnumbered(it.arguments) } : it));
    return bared.kind === "repeat" ? bared : { ...bared, name: "" };
  });
  const leaving = edges(block.forward)
    .filter((edge) => at.has(edge.source) && !at.has(edge.target))
    .map((edge) => JSON.stringify([at.get(edge.source), edge.path]));
  // What nothing takes yet, a class gives all the same.
  const fed = new Set(edges(block.forward).map((edge) => edge.source));
  const ends = ids.flatMap((id, index) => (fed.has(id) ? [] : [JSON.stringify([index, []])]));
  const results = leaving.length > 0 ? leaving : ends;
  const text = JSON.stringify([plain, members, [...new Set(results)].sort()]);
  return { text, use: { ids: [...ids], heads, numbers }, sites };
}

/** Keys in order: what was typed last comes last. */
const unnumbered = (given: Arguments): Arguments =>
  Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => typeof value !== "number")
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

type Fits = (ids: readonly string[]) => boolean;

/**
 * Looks for nodes that are wired like those of `order`, in the same order and none of them taken.
 *
 * What it returns gives, of a first node, all that correspond; null for none.
 */
function search(block: Block, order: readonly string[], taken: ReadonlySet<string>) {
  const { nodes } = block.forward;
  const places = new Map(nodes.map((node, index) => [node.id, index]));
  const into = new Map<string, Edge[]>();
  for (const edge of edges(block.forward)) into.set(edge.target, [...(into.get(edge.target) ?? []), edge]);
  let steps = 0;

  /** Whether a node may stand for the next one: the same operation, fed alike by those found so far. */
  const can = (images: readonly string[], node: GraphNode): boolean => {
    const wanted = nodeAt(block.forward, order[images.length] ?? "");
    if (!wanted || taken.has(node.id) || wanted.op !== node.op) return false;
    if (wanted.op === "function" && node.op === "function" && wanted.target !== node.target) return false;
    const fed = (into.get(wanted.id) ?? []).flatMap((edge) => {
      const index = order.indexOf(edge.source);
      return index < 0 ? [] : [JSON.stringify([images[index], edge.path, edge.at])];
    });
    const has = new Set((into.get(node.id) ?? []).map((edge) => JSON.stringify([edge.source, edge.path, edge.at])));
    return fed.every((edge) => has.has(edge));
  };

  const grow = (images: string[], fits: Fits): string[] | null => {
    if (images.length === order.length) return fits(images) ? images : null;
    const after = places.get(images.at(-1) ?? "") ?? -1;
    for (const node of nodes.slice(after + 1)) {
      if (++steps > MOST_STEPS) return null;
      if (!can(images, node)) continue;
      const found = grow([...images, node.id], fits);
      if (found) return found;
    }
    return null;
  };

  return (start: GraphNode, fits: Fits) => (can([], start) ? grow([start.id], fits) : null);
}
