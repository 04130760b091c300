/** Making a block, a class of its own, of selected nodes. See `inline` for the way back. */
import { argumentUses } from "./blockArguments";
import { NODE_HEIGHT, NODE_WIDTH } from "./geometry";
import { changeRefs, edges, inputId, nextId, nodeAt, OUTPUT, upstream, viewOf } from "./graph";
import { freshName, headOf, real, whenOf } from "./members";
import { unique } from "./names";
import { rearrange } from "./paths";
import type { Block, BlockView, Doc, Graph, GraphInput, GraphNode, Member, Ref, Value } from "./types";
import { choice, ref } from "./values";

/** Why nodes cannot become a block: there are none, what they call is called elsewhere, too, or data leaves and returns. */
export type ExtractRefusal = "empty" | "shared" | "returns";

const calls = (node: GraphNode): boolean => node.op !== "function";

/** The block's own members that nodes call, behind aliases. */
const headsOf = (block: Block, nodes: readonly GraphNode[]): Set<string> =>
  new Set(nodes.filter(calls).flatMap((node) => [headOf(node.target), headOf(real(block, node.target))]));

export function extractRefused(block: Block, ids: readonly string[]): ExtractRefusal | null {
  const chosen = new Set(ids);
  const { nodes } = block.forward;
  const inner = nodes.filter((node) => chosen.has(node.id));
  if (inner.length === 0) return "empty";
  const heads = headsOf(block, inner);
  const outside = headsOf(
    block,
    nodes.filter((node) => !chosen.has(node.id)),
  );
  if ([...heads].some((head) => outside.has(head))) return "shared";
  const ties = block.members.filter((member) => member.kind === "alias");
  // A tie has to lie in one class with both of its ends.
  if (ties.some((tie) => heads.has(headOf(tie.of)) !== heads.has(headOf(tie.name)))) return "shared";
  const before = new Set(inner.flatMap((node) => [...upstream(block.forward, node.id)]));
  const between = nodes.filter((node) => before.has(node.id) && !chosen.has(node.id));
  const returns = between.some((node) => [...upstream(block.forward, node.id)].some((id) => chosen.has(id)));
  return returns ? "returns" : null;
}

/** Puts the selected nodes and what they call into a new class, and a call of it in their place. */
export function extract(
  doc: Doc,
  blockName: string,
  ids: readonly string[],
  wanted: string,
): { doc: Doc; id: string; block: string } | null {
  const block = doc.blocks[blockName];
  if (!block || extractRefused(block, ids)) return null;
  const chosen = new Set(ids.filter((id) => nodeAt(block.forward, id)));
  const name = unique(wanted, new Set(Object.keys(doc.blocks)));
  const member = freshName(block, name);
  const id = nextId(block.forward);
  const heads = headsOf(
    block,
    block.forward.nodes.filter((node) => chosen.has(node.id)),
  );
  const own = block.members.filter((it) => heads.has(headOf(it.name)));
  const when = commonWhen(block.forward, chosen, own);
  const split = divide(block, chosen, id, when);
  // Under the condition of the whole everything inside is there always.
  const hoistedMember = when !== null && own.some((it) => whenOf(it) !== null);
  const members = hoistedMember ? own.map((it) => ("when" in it ? { ...it, when: null } : it)) : own;
  const plain: Block = { doc: "", version: 1, arguments: [], members, forward: split.inner };
  const used = block.arguments.filter((argument) => argumentUses(plain, argument.name).length > 0);
  const made = { ...plain, arguments: used };
  const given = Object.fromEntries(made.arguments.map((argument) => [argument.name, { $expr: argument.name }]));
  const call: GraphNode = { op: "call", id, name: null, when, target: member, arguments: split.given };
  const moved = rearrange({ ...doc, blocks: { ...doc.blocks, [name]: made } }, blockName, (it) => {
    const at = it.members.findLastIndex((each) => own.includes(each));
    const use: Member = {
      kind: "block",
      name: member,
      block: name,
      arguments: given,
      when: hoistedMember ? when : null,
    };
    const members = it.members.flatMap((each, index) => [
      ...(own.includes(each) ? [] : [each]),
      ...(index === at ? [use] : []),
    ]);
    // Where nothing is called, as in a block of operations, there is no place to take.
    const all = at < 0 ? [...members, use] : members;
    const last = it.forward.nodes.findLastIndex((node) => chosen.has(node.id));
    const nodes = split.outer.nodes.flatMap((node, index) =>
      index === last ? [call] : chosen.has(node.id) ? [] : [node],
    );
    return {
      block: { ...it, members: all, forward: { ...split.outer, nodes } },
      move: (path) => (heads.has(headOf(path)) ? `${member}.${path}` : path),
    };
  });
  return { doc: withViews(moved, blockName, name, chosen, id), id, block: name };
}

type Divided = { inner: Graph; outer: Graph; given: { [input: string]: Value } };

/** The chosen nodes as a graph of their own, and the other nodes as they see it: fed by one call. */
function divide(block: Block, chosen: ReadonlySet<string>, call: string, when: string | null): Divided {
  const graph = when === null ? block.forward : unconditional(block.forward, chosen);
  const key = (from: Ref) => JSON.stringify([from.$ref, from.path]);
  const inputs = new Map<string, { input: GraphInput; from: Ref }>();
  const names = new Set(chosen);
  const enter = (from: Ref): Value => {
    if (chosen.has(from.$ref)) return from;
    const known = inputs.get(key(from));
    if (known) return ref(known.input.name);
    const source = from.path.length === 0 ? graph.inputs.find((input) => input.name === from.$ref) : undefined;
    const input = { name: unique(source?.name ?? "x", names), optional: source?.optional ?? false };
    names.add(input.name);
    inputs.set(key(from), { input, from });
    return ref(input.name);
  };
  const nodes = graph.nodes.filter((node) => chosen.has(node.id));
  const inside = changeRefs({ inputs: [], nodes, output: null }, enter).nodes;
  const results = new Map<string, Ref>();
  const others = { ...graph, nodes: graph.nodes.map((node) => (chosen.has(node.id) ? bared(node) : node)) };
  changeRefs(others, (from) => {
    if (chosen.has(from.$ref)) results.set(key(from), from);
    return from;
  });
  // What runs at times passes the border as one of two values, the other being None.
  const runs = new Map(graph.nodes.map((node) => [node.id, node.when]));
  const there = (from: Ref): Value => {
    const its = runs.get(from.$ref) ?? null;
    return its === null || its === when ? from : choice(its, from, null);
  };
  const rank = (from: Ref) => graph.nodes.findIndex((node) => node.id === from.$ref);
  const taken = [...results.values()].sort((a, b) => rank(a) - rank(b));
  const outputs = taken.length > 0 ? taken : ends(graph, chosen);
  const [first] = outputs;
  const order = taken.map(key);
  const leave = (from: Ref): Value => {
    if (!chosen.has(from.$ref)) return from;
    return ref(call, outputs.length > 1 ? [order.indexOf(key(from))] : []);
  };
  return {
    inner: {
      inputs: [...inputs.values()].map(({ input }) => input),
      nodes: inside,
      output: outputs.length > 1 ? { $tuple: outputs.map(there) } : first ? there(first) : null,
    },
    outer: changeRefs(others, leave),
    given: Object.fromEntries([...inputs.values()].map(({ input, from }) => [input.name, there(from)])),
  };
}

/** The condition that all chosen nodes run under, and no member of theirs has another: it becomes that of their call. */
function commonWhen(graph: Graph, chosen: ReadonlySet<string>, own: readonly Member[]): string | null {
  const [when = null, ...others] = new Set(graph.nodes.flatMap((node) => (chosen.has(node.id) ? [node.when] : [])));
  return others.length === 0 && own.every((it) => [null, when].includes(whenOf(it))) ? when : null;
}

const unconditional = (graph: Graph, chosen: ReadonlySet<string>): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => (chosen.has(node.id) ? { ...node, when: null } : node)),
});

/** A node that goes, without what it is given. */
const bared = (node: GraphNode): GraphNode =>
  node.op === "get" ? node : node.op === "choose" ? { ...node, key: null, arguments: {} } : { ...node, arguments: {} };

/** Results that nothing takes: what a block gives whose nodes were not connected further yet. */
function ends(graph: Graph, chosen: ReadonlySet<string>): Ref[] {
  const used = new Set(edges(graph).map((edge) => edge.source));
  return graph.nodes.filter(({ id }) => chosen.has(id) && !used.has(id)).map(({ id }) => ref(id));
}

/** Nodes keep their places inside the new block, and the call stands where the first of them stood. */
function withViews(doc: Doc, outer: string, inner: string, chosen: ReadonlySet<string>, id: string): Doc {
  const view = viewOf(doc, outer);
  const inside = Object.entries(view.positions).filter(([node]) => chosen.has(node));
  const outside = Object.entries(view.positions).filter(([node]) => !chosen.has(node));
  const xs = inside.map(([, at]) => at.x);
  const ys = inside.map(([, at]) => at.y);
  const top = inside.toSorted(([, a], [, b]) => a.y - b.y)[0]?.[1];
  const drawn = inside.length === chosen.size && top !== undefined;
  const terminals = (doc.blocks[inner]?.forward.inputs ?? []).map((input, index) => [
    inputId(input.name),
    { x: Math.min(...xs) + index * NODE_WIDTH, y: Math.min(...ys) - 2 * NODE_HEIGHT },
  ]);
  const end = { x: Math.min(...xs), y: Math.max(...ys) + 3 * NODE_HEIGHT };
  const views: { [block: string]: BlockView } = {
    [outer]: {
      positions: { ...Object.fromEntries(outside), ...(top ? { [id]: top } : {}) },
      collapsed: view.collapsed.filter((node) => !chosen.has(node)),
    },
    [inner]: {
      // What was never drawn is laid out when it is first opened.
      positions: drawn ? Object.fromEntries([...terminals, ...inside, [OUTPUT, end]]) : {},
      collapsed: view.collapsed.filter((node) => chosen.has(node)),
    },
  };
  return { ...doc, ui: { blocks: { ...doc.ui.blocks, ...views } } };
}
