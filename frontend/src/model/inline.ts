/** Dissolving one use of a block: its nodes and members take the place of the call. */
import { literal, mapExpressions, renameIn } from "./expressions";
import { GAP, NODE_HEIGHT } from "./geometry";
import { changeBlock, changeRefs, changeView, edges, nextId, nodeAt, OUTPUT, place, viewOf } from "./graph";
import { mapMember, namesIn, usedPaths, whenOf } from "./members";
import { unique } from "./names";
import { rearrange, spellOut } from "./paths";
import { column, heightOf, shiftBelow } from "./room";
import type { Arguments, Block, BlockUse, Doc, GraphNode, Member, Path, Position, Ref, Value } from "./types";
import { choice, isIf, isRef, ref, refsIn, settled } from "./values";

type Call = Extract<GraphNode, { op: "call" }>;

/**
 * The use of a block that a node calls, if that can be dissolved: nothing else calls it or anything inside it, and
 * no node inside it would then run under two conditions.
 */
export function inlineable(doc: Doc, blockName: string, id: string): { node: Call; use: BlockUse; made: Block } | null {
  const block = doc.blocks[blockName];
  const node = block && nodeAt(block.forward, id);
  if (!block || node?.op !== "call") return null;
  const use = block.members.find((member) => member.name === node.target);
  const made = use?.kind === "block" ? doc.blocks[use.block] : undefined;
  const once = usedPaths(block).filter((path) => path.split(".")[0] === node.target).length === 1;
  if (use?.kind !== "block" || !made || !once) return null;
  const twice =
    made.forward.nodes.some((inner) => underTwo(node.when, inner.when)) ||
    made.members.some((inner) => underTwo(use.when, whenOf(inner)));
  return twice ? null : { node, use, made };
}

const underTwo = (outer: string | null, inner: string | null): boolean =>
  outer !== null && inner !== null && outer !== inner;

export function inline(doc: Doc, blockName: string, id: string): { doc: Doc; ids: string[] } | null {
  const found = inlineable(doc, blockName, id);
  const block = doc.blocks[blockName];
  if (!block || !found) return null;
  const { node, use } = found;
  const made = withArguments(found.made, use.arguments);
  const names = freeNames(block, made, use.name);
  const ids = freeIds(block, made);
  const spelled = spellOut(doc, blockName, use.name, [...names.keys()]);
  const dissolved = rearrange(spelled, blockName, (it) => ({
    block: {
      ...it,
      members: it.members.flatMap((member) =>
        member === use ? made.members.map((inner) => thereWhen(renamed(inner, names), use.when)) : [member],
      ),
    },
    move: (path) => {
      if (!path.startsWith(`${use.name}.`)) return path;
      return follow(path.slice(use.name.length + 1), names);
    },
  }));
  const joined = changeBlock(dissolved, blockName, (it) => {
    const enter = (from: Ref): Value | undefined => {
      const inner = ids.get(from.$ref);
      return inner ? ref(inner, from.path) : part(node.arguments[from.$ref] ?? null, from.path);
    };
    const inside = changeRefs(made.forward, enter);
    const nodes = inside.nodes.map((inner): GraphNode => {
      const target = inner.op === "function" ? inner.target : follow(inner.target, names);
      return settledNode({ ...inner, id: ids.get(inner.id) ?? inner.id, target, when: inner.when ?? node.when });
    });
    const outer = changeRefs(it.forward, (from) => (from.$ref === id ? part(inside.output, from.path) : from));
    const readers = new Set(edges(it.forward).flatMap((edge) => (edge.source === id ? [edge.target] : [])));
    return {
      ...it,
      forward: {
        ...outer,
        nodes: outer.nodes.flatMap((each) => {
          if (each.id === id) return nodes;
          return [readers.has(each.id) ? settledNode(each) : each];
        }),
        output: readers.has(OUTPUT) ? settled(outer.output, new Set()) : outer.output,
      },
    };
  });
  const placed = placeInside(joined, blockName, use.block, id, ids);
  return { doc: withoutUnused(placed, use.block), ids: [...ids.values()] };
}

const follow = (path: string, names: ReadonlyMap<string, string>): string => {
  const [head = "", ...rest] = path.split(".");
  return [names.get(head) ?? head, ...rest].join(".");
};

function renamed(member: Member, names: ReadonlyMap<string, string>): Member {
  const next = { ...member, name: follow(member.name, names) };
  return next.kind === "alias" ? { ...next, of: follow(next.of, names) } : next;
}

/** A member that is there only where the block was that it comes from. */
const thereWhen = (member: Member, when: string | null): Member =>
  "when" in member ? { ...member, when: member.when ?? when } : member;

/** A node whose values choose nothing that its own condition has chosen. */
function settledNode(node: GraphNode): GraphNode {
  if (node.op === "get" || !Object.values(node.arguments).some((value) => refsIn(value).length > 0)) return node;
  const holding = new Set(node.when === null ? [] : [node.when]);
  const given = Object.entries(node.arguments).map(([name, value]) => [name, settled(value, holding)]);
  return { ...node, arguments: Object.fromEntries(given) };
}

/** The part of a value that a path leads to; undefined where there is none. */
function part(value: Value, path: Path): Value | undefined {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  // What only one of two values has is asked for where that one is given.
  if (isIf(value)) return choice(value.$if, part(value.then, path) ?? null, part(value.else, path) ?? null);
  if (isRef(value)) return ref(value.$ref, [...value.path, ...path]);
  if (typeof value !== "object" || value === null) return undefined;
  const items = Array.isArray(value) ? value : "$tuple" in value ? value.$tuple : "$dict" in value ? value.$dict : {};
  const item = (items as { [key: number | string]: Value })[head];
  return item === undefined ? undefined : part(item, rest);
}

function freeNames(block: Block, made: Block, use: string): Map<string, string> {
  const taken = namesIn(block, "");
  taken.delete(use);
  const names = new Map<string, string>();
  for (const { name } of made.members) {
    if (name.includes(".")) continue;
    const free = unique(name, taken);
    taken.add(free);
    names.set(name, free);
  }
  return names;
}

/** Ids for the inner nodes: their own where these are free. */
function freeIds(block: Block, made: Block): Map<string, string> {
  const reserved = new Set<string>();
  const outer = new Set([...block.forward.nodes.map((node) => node.id), ...block.forward.inputs.map((it) => it.name)]);
  const ids = new Map<string, string>();
  for (const { id } of made.forward.nodes) {
    const free = outer.has(id) || reserved.has(id) ? nextId(block.forward, reserved) : id;
    reserved.add(free);
    ids.set(id, free);
  }
  return ids;
}

/** A block with its arguments' values in the place of their names. */
function withArguments(made: Block, given: Arguments): Block {
  let { members, forward } = made;
  const change = (name: string, put: (text: string) => string | { value: Value }) => {
    members = mapExpressions(members, name, put);
    forward = mapExpressions(forward, name, put);
  };
  // In two steps, because a value may use a name outside that another argument has inside.
  const marked = made.arguments.map((argument, index) => ({ argument, mark: `_argument_${index}_` }));
  for (const { argument, mark } of marked) change(argument.name, (text) => renameIn(text, argument.name, mark));
  for (const { argument, mark } of marked) {
    const value = given[argument.name] ?? argument.default;
    change(mark, (text) => (text.trim() === mark ? { value } : renameIn(text, mark, `(${literal(value)})`)));
  }
  return { ...made, members, forward };
}

/** The inner nodes where the call stood, as they stood to one another. */
function placeInside(doc: Doc, outer: string, inner: string, call: string, ids: ReadonlyMap<string, string>): Doc {
  const at = viewOf(doc, outer).positions[call];
  const view = viewOf(doc, inner);
  const known = [...ids].flatMap(([id, free]): [string, Position][] => {
    const spot = view.positions[id];
    return spot ? [[free, spot]] : [];
  });
  const left = Math.min(...known.map(([, spot]) => spot.x));
  const top = Math.min(...known.map(([, spot]) => spot.y));
  const positions =
    known.length === ids.size && at
      ? Object.fromEntries(known.map(([id, spot]) => [id, { x: at.x + spot.x - left, y: at.y + spot.y - top }]))
      : at
        ? column(doc, outer, [...ids.values()], at)
        : {};
  const folded = view.collapsed.flatMap((id) => ids.get(id) ?? []);
  const without = changeView(doc, outer, (it) => {
    const { [call]: _, ...others } = it.positions;
    return { positions: others, collapsed: [...it.collapsed.filter((id) => id !== call), ...folded] };
  });
  return place(at ? withRoom(without, outer, at.y + NODE_HEIGHT, positions) : without, outer, positions);
}

/** Moves what stands below the call further down, as far as the new nodes reach. */
function withRoom(doc: Doc, block: string, bottom: number, positions: { [id: string]: Position }): Doc {
  const below = Object.values(viewOf(doc, block).positions).filter((at) => at.y >= bottom);
  const end = Math.max(...Object.entries(positions).map(([id, at]) => at.y + heightOf(doc, block, id)));
  const next = Math.min(...below.map((at) => at.y));
  return next < end + GAP ? shiftBelow(doc, block, bottom, end + GAP - next) : doc;
}

/** A class that nothing is an instance of any more goes, as it came with its first use. */
function withoutUnused(doc: Doc, name: string): Doc {
  const isUse = (member: Member) => {
    let found = false;
    mapMember(member, (it) => {
      found ||= it.kind === "block" && it.block === name;
      return it;
    });
    return found;
  };
  if (name === doc.main || Object.values(doc.blocks).some((block) => block.members.some(isUse))) return doc;
  const { [name]: _block, ...blocks } = doc.blocks;
  const { [name]: _view, ...views } = doc.ui.blocks;
  return { ...doc, blocks, ui: { blocks: views } };
}
