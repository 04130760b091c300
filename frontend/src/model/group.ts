/** Making a container of selected nodes, and taking a node into one. See `ungroup` for the way back. */
import { insertItem } from "./arrange";
import { argumentsOf, changeGraph, changeRefs, changeView, edges, nodeAt, refName, viewOf } from "./graph";
import { freshName, inside, isContainer, itemsOf, memberAt, memberLabel, namesIn, usedPaths, whenOf } from "./members";
import { isName, unique } from "./names";
import { moved, type Rearranged, rearrange } from "./paths";
import { heightOf, shiftBelow } from "./room";
import type { Block, Container, Doc, GraphNode, Item, Member } from "./types";
import { isRef } from "./values";

export type GroupKind = "sequential" | "module_list" | "module_dict";
/** Why a selection cannot become a container of a kind. */
export type Refusal = "empty" | "not_layers" | "alias" | "nested" | "shared" | "not_chain" | "conditions";
type Call = Extract<GraphNode, { op: "call" }>;

export const isRefusal = <T>(value: T | Refusal): value is Refusal => typeof value === "string";

/** The selected calls of direct members that nothing else uses, or why they are not that. */
function calls(block: Block, ids: readonly string[]): Call[] | Refusal {
  const nodes = ids.map((id) => nodeAt(block.forward, id));
  if (nodes.length === 0) return "empty";
  if (!nodes.every((node) => node?.op === "call")) return "not_layers";
  const found = nodes as Call[];
  const direct = (node: Call) => block.members.find((member) => member.name === node.target);
  // Containers hold modules, and an alias is only a name of one.
  if (found.some((node) => direct(node)?.kind === "alias")) return "alias";
  if (!found.every(direct)) return "nested";
  const used = usedPaths(block);
  if (new Set(found.map((node) => whenOf(direct(node) as Member))).size > 1) return "conditions";
  const once = (node: Call) => used.filter((path) => path === node.target || path.startsWith(`${node.target}.`)).length;
  return found.every((node) => once(node) === 1) ? found : "shared";
}

/** Calls in the order in which data runs through them, if they are one chain without side doors. */
function chain(block: Block, ids: readonly string[]): Call[] | Refusal {
  const found = calls(block, ids);
  if (isRefusal(found)) return found;
  if (found.some((node) => node.when !== found[0]?.when)) return "conditions";
  const all = edges(block.forward);
  const selected = new Set(ids);
  const first = found.filter((node) => !all.some((edge) => edge.target === node.id && selected.has(edge.source)));
  const ordered = first.slice(0, 1);
  for (let last = ordered[0]; last && ordered.length < found.length; last = ordered.at(-1)) {
    const out = all.filter((edge) => edge.source === last.id);
    const next = found.find((node) => node.id === out[0]?.target);
    if (out.length !== 1 || out[0]?.path.length !== 0 || !next || ordered.includes(next)) return "not_chain";
    ordered.push(next);
  }
  const plain = (node: Call) => {
    const values = Object.values(node.arguments);
    return values.length <= 1 && values.every(isRef);
  };
  return first.length === 1 && ordered.every(plain) ? ordered : "not_chain";
}

/** Why a selection cannot be grouped so; null when it can. */
export function groupRefused(block: Block, ids: readonly string[], kind: GroupKind): Refusal | null {
  const found = kind === "sequential" ? chain(block, ids) : calls(block, ids);
  return isRefusal(found) ? found : null;
}

/** An item, which is there whenever its container is. */
const always = (item: Item): Item => ("when" in item ? { ...item, when: null } : item);

/** A block in which a container, at the place of the first of them, holds the named members. */
function enclose(block: Block, kind: GroupKind, name: string, names: string[], keepNames: boolean): Rearranged {
  const enclosed = names.map((it) => block.members.find((member) => member.name === it) as Item & Member);
  const counted = kind === "module_list" || (kind === "sequential" && !keepNames);
  const [first] = enclosed;
  const when = first ? whenOf(first) : null;
  const items = enclosed.map((item, index): Item => always(counted ? { ...item, name: String(index) } : item));
  const at = Math.min(...enclosed.map((member) => block.members.indexOf(member)));
  const members = block.members.flatMap((member, index): Member[] => [
    ...(index === at ? [{ kind, name, items, when } as Container] : []),
    ...(names.includes(member.name) ? [] : [member]),
  ]);
  const places = new Map(names.map((old, index) => [old, `${name}.${counted ? index : old}`]));
  const move = (path: string): string => {
    const [first = "", ...rest] = path.split(".");
    return [places.get(first) ?? first, ...rest].join(".");
  };
  return { block: { ...block, members }, move };
}

const STEMS: Record<GroupKind, string> = { sequential: "features", module_list: "layers", module_dict: "branches" };

/** A free name for a new container. */
export const groupName = (block: Block, kind: GroupKind): string => unique(STEMS[kind], namesIn(block, ""));

/**
 * Puts the members that the selected nodes call into a new container. A Sequential takes the whole chain into one
 * node, which keeps the last node's id; the items of lists and dicts go on being called one by one.
 */
export function group(
  doc: Doc,
  blockName: string,
  ids: readonly string[],
  kind: GroupKind,
  options: { name?: string; keepNames?: boolean } = {},
): Doc {
  const block = doc.blocks[blockName];
  if (!block) return doc;
  const found = kind === "sequential" ? chain(block, ids) : calls(block, ids);
  if (isRefusal(found)) return doc;
  const wanted = options.name;
  const name = wanted && isName(wanted) && !namesIn(block, "").has(wanted) ? wanted : groupName(block, kind);
  const order = block.members.map((member) => member.name);
  const nodes =
    kind === "sequential" ? found : found.toSorted((a, b) => order.indexOf(a.target) - order.indexOf(b.target));
  const targets = nodes.map((node) => node.target);
  const enclosed = rearrange(doc, blockName, (it) => enclose(it, kind, name, targets, options.keepNames ?? false));
  if (kind !== "sequential") return enclosed;
  const first = found[0] as Call;
  const last = found.at(-1) as Call;
  const input = Object.values(first.arguments)[0];
  const call: Call = { ...last, target: name, arguments: input === undefined ? {} : { input } };
  const gone = new Set(ids.filter((id) => id !== last.id));
  const joined = changeGraph(enclosed, blockName, (graph) => ({
    ...graph,
    nodes: graph.nodes.flatMap((node) => (node.id === last.id ? [call] : gone.has(node.id) ? [] : [node])),
  }));
  const { positions } = viewOf(doc, blockName);
  const at = positions[first.id];
  const end = positions[last.id];
  const placed = changeView(joined, blockName, (view) => {
    const kept = Object.entries(view.positions).filter(([id]) => !gone.has(id));
    return { ...view, positions: { ...Object.fromEntries(kept), ...(at ? { [last.id]: at } : {}) } };
  });
  if (!at || !end) return placed;
  const bottom = end.y + heightOf(doc, blockName, last.id);
  const boxBottom = at.y + heightOf(placed, blockName, last.id);
  return shiftBelow(placed, blockName, bottom, boxBottom - bottom, new Set([last.id]));
}

/** The item that a drop puts into a Sequential, from a node that stands alone on the canvas: the node goes, its member moves. */
export function moveInto(doc: Doc, blockName: string, id: string, path: string, index: number): Doc {
  const block = doc.blocks[blockName];
  const found = block && calls(block, [id]);
  if (!block || !found || isRefusal(found) || found[0] === undefined) return doc;
  const [node] = found;
  // An item of a container runs whenever that does.
  if (node.when !== null) return doc;
  const holder = memberAt(block, path);
  if (!isContainer(holder) || inside(path, node.target)) return doc;
  const item = memberAt(block, node.target) as Item;
  const input = Object.values(argumentsOf(node)).find(isRef);
  const freed = changeGraph(doc, blockName, (graph) => {
    const nodes = graph.nodes.filter((it) => it.id !== id);
    // What the node fed is fed by what fed the node.
    const past = (path: (number | string)[]) => (input && path.length === 0 ? input : undefined);
    return changeRefs({ ...graph, nodes }, (it) => (it.$ref === refName(id) ? past(it.path) : it));
  });
  const seen = changeView(freed, blockName, ({ positions: { [id]: _, ...positions }, collapsed }) => ({
    positions,
    collapsed: collapsed.filter((it) => it !== id),
  }));
  return rearrange(seen, blockName, (it) => {
    const without = { ...it, members: it.members.filter((member) => member.name !== node.target) };
    const at = Math.min(index, itemsOf(holder).length);
    const put = insertItem(without, path, at, { ...item, name: freshName(it, memberLabel(item), path) } as Item);
    const own = moved(node.target, `${path}.${namesOf(put.block, path)[at]}`);
    return { block: put.block, move: (used) => (inside(used, node.target) ? own(used) : put.move(used)) };
  });
}

const namesOf = (block: Block, path: string): string[] => [...namesIn(block, path)];
