/** Making a container of selected nodes, and dissolving it again. */
import {
  argumentsOf,
  changeBlock,
  changeGraph,
  changeRefs,
  changeView,
  edges,
  nextId,
  nodeAt,
  place,
  refName,
  viewOf,
} from "./graph";
import {
  changeMember,
  countsItems,
  freshName,
  insertItem,
  isContainer,
  join,
  lastOf,
  memberAt,
  moved,
  namesIn,
  parentOf,
  retarget,
  usedPaths,
} from "./members";
import { isName, snake, unique } from "./names";
import { column, heightOf, shiftBelow } from "./room";
import type { Arguments, Block, Container, Doc, GraphNode, Item, Member } from "./types";
import { isRef, ref } from "./values";

export type GroupKind = "sequential" | "module_list" | "module_dict";
/** Why a selection cannot become a container of a kind. */
export type Refusal = "empty" | "not_layers" | "nested" | "shared" | "not_chain";
type Call = Extract<GraphNode, { op: "call" }>;

export const isRefusal = <T>(value: T | Refusal): value is Refusal => typeof value === "string";

/** The selected calls of direct members that nothing else uses, or why they are not that. */
function calls(block: Block, ids: readonly string[]): Call[] | Refusal {
  const nodes = ids.map((id) => nodeAt(block.forward, id));
  if (nodes.length === 0) return "empty";
  if (!nodes.every((node) => node?.op === "call")) return "not_layers";
  const found = nodes as Call[];
  if (found.some((node) => !block.members.some((member) => member.name === node.target))) return "nested";
  const used = usedPaths(block);
  const once = (node: Call) => used.filter((path) => path === node.target || path.startsWith(`${node.target}.`)).length;
  return found.every((node) => once(node) === 1) ? found : "shared";
}

/** Calls in the order in which data runs through them, if they are one chain without side doors. */
function chain(block: Block, ids: readonly string[]): Call[] | Refusal {
  const found = calls(block, ids);
  if (isRefusal(found)) return found;
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

/** A block in which a container, at the place of the first of them, holds the named members. */
function enclose(block: Block, kind: GroupKind, name: string, names: string[], keepNames: boolean): Block {
  const inside = names.map((it) => block.members.find((member) => member.name === it) as Item & Member);
  const counted = kind === "module_list" || (kind === "sequential" && !keepNames);
  const items = inside.map((item, index): Item => (counted ? { ...item, name: String(index) } : item));
  const at = Math.min(...inside.map((member) => block.members.indexOf(member)));
  const members = block.members.flatMap((member, index): Member[] => [
    ...(index === at ? [{ kind, name, items } as Container] : []),
    ...(names.includes(member.name) ? [] : [member]),
  ]);
  const follow = (path: string): string =>
    names.reduce((now, old, index) => moved(old, `${name}.${items[index] && counted ? index : old}`)(now), path);
  // `reduce` could send a moved path on again if a member bore the container's name, which a fresh name rules out.
  return retarget({ ...block, members }, follow);
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
  const enclosed = changeBlock(doc, blockName, (it) => enclose(it, kind, name, targets, options.keepNames ?? false));
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

/** Whether a container can be dissolved: every item has a name of its own, and no node needs the container as such. */
export function ungroupRefused(block: Block, path: string): boolean {
  const container = memberAt(block, path);
  if (!isContainer(container) || container.kind.startsWith("parameter")) return true;
  if (container.items.some((item) => item.kind === "repeat")) return true;
  const parent = parentOf(path);
  const whole = block.forward.nodes.filter((node) => node.op !== "function" && node.target === path);
  if (parent)
    return container.kind !== "sequential" || memberAt(block, parent)?.kind !== "sequential" || whole.length > 0;
  return whole.some((node) => node.op === "choose" || node.op === "get");
}

/** What a fresh name is made from. */
export function memberLabel(item: Item | Member): string {
  if (item.kind === "layer") return lastOf(item.target);
  if (item.kind === "block") return item.block;
  if (item.kind === "repeat") return memberLabel(item.item);
  return item.kind;
}

function freedNames(block: Block, path: string, container: Container): string[] {
  const taken = namesIn(block, parentOf(path));
  taken.delete(lastOf(path));
  const counted = countsItems(container) || container.kind === "module_list";
  return container.items.map((item) => {
    const own = item.kind === "repeat" ? "" : item.name;
    const name = unique(counted || !isName(own) ? snake(memberLabel(item)) : own, taken);
    taken.add(name);
    return name;
  });
}

/** One call of a chain becomes a call of each item; the last keeps the id, so that what follows stays connected. */
function unroll(
  block: Block,
  node: Call | Extract<GraphNode, { op: "loop" }>,
  names: string[],
  ports: string[],
): Block {
  const { input, ...others } = node.arguments;
  const graph = block.forward;
  if (names.length === 0) {
    const nodes = graph.nodes.filter((it) => it.id !== node.id);
    const past = (path: (number | string)[]) => (isRef(input) ? ref(input.$ref, [...input.path, ...path]) : undefined);
    return { ...block, forward: changeRefs({ ...graph, nodes }, (it) => (it.$ref === node.id ? past(it.path) : it)) };
  }
  const reserved = new Set<string>();
  let before = input;
  const steps = names.map((name, index): Call => {
    const id = index === names.length - 1 ? node.id : nextId(graph, reserved);
    reserved.add(id);
    const fed: Arguments = before === undefined ? {} : { [ports[index] ?? "input"]: before };
    before = ref(id);
    return {
      op: "call",
      id,
      name: index === names.length - 1 ? node.name : null,
      target: name,
      arguments: { ...fed, ...others },
    };
  });
  return { ...block, forward: { ...graph, nodes: graph.nodes.flatMap((it) => (it.id === node.id ? steps : [it])) } };
}

/** Takes a container's items out of it. `portOf` names the first forward parameter of an item. */
export function ungroup(doc: Doc, blockName: string, path: string, portOf: (item: Item) => string): Doc {
  const block = doc.blocks[blockName];
  if (!block || ungroupRefused(block, path)) return doc;
  const container = memberAt(block, path) as Container;
  const parent = parentOf(path);
  if (parent) return changeBlock(doc, blockName, (it) => splice(it, parent, path, container));
  const names = freedNames(block, path, container);
  const ports = container.items.map(portOf);
  const dissolved = changeBlock(doc, blockName, (it) => {
    const members = it.members.flatMap((member): Member[] =>
      member.name === path
        ? container.items.map((item, index) => ({ ...item, name: names[index] }) as Member)
        : [member],
    );
    const places = new Map(
      container.items.map((item, index) => [item.kind === "repeat" ? "" : item.name, names[index]]),
    );
    const freed = retarget({ ...it, members }, (used) => {
      if (!used.startsWith(`${path}.`)) return used;
      const [head = "", ...rest] = used.slice(path.length + 1).split(".");
      return [places.get(head) ?? head, ...rest].join(".");
    });
    return freed.forward.nodes.reduce(
      (now, node) =>
        (node.op === "call" || node.op === "loop") && node.target === path ? unroll(now, node, names, ports) : now,
      freed,
    );
  });
  return unfolded(doc, dissolved, blockName);
}

/** The freed nodes of each box one below the other, where the box was. */
function unfolded(before: Doc, after: Doc, blockName: string): Doc {
  const old = new Set(before.blocks[blockName]?.forward.nodes.map((node) => node.id));
  let next = after;
  let run: string[] = [];
  for (const { id } of after.blocks[blockName]?.forward.nodes ?? []) {
    run.push(id);
    if (!old.has(id)) continue;
    const at = viewOf(before, blockName).positions[id];
    if (run.length > 1 && at) {
      const bottom = at.y + heightOf(before, blockName, id);
      const places = column(after, blockName, run, at);
      const end = (places[id]?.y ?? 0) + heightOf(after, blockName, id);
      next = place(shiftBelow(next, blockName, bottom, end - bottom, new Set(run)), blockName, places);
    }
    run = [];
  }
  return next;
}

/** A Sequential inside a Sequential is dissolved in place. */
function splice(block: Block, parent: string, path: string, container: Container): Block {
  return changeMember<Container>(block, parent, (outer) => {
    const counted = countsItems(outer);
    const taken = new Set(outer.items.map((item) => (item.kind === "repeat" ? "" : item.name)));
    const free = (item: Item): Item => {
      if (counted || item.kind === "repeat") return item;
      const name = unique(item.name, taken);
      taken.add(name);
      return { ...item, name };
    };
    const items = outer.items.flatMap((item): Item[] =>
      item.kind !== "repeat" && join(parent, item.name) === path ? container.items.map(free) : [item],
    );
    const number = (item: Item, index: number): Item =>
      counted && item.kind !== "repeat" ? { ...item, name: String(index) } : item;
    return { ...outer, items: items.map(number) };
  });
}

/** Wraps neighbouring items of a container, `from` to `to` inclusive, in a container of their own. */
export function nest(doc: Doc, blockName: string, path: string, from: number, to: number, kind: GroupKind): Doc {
  return changeBlock(doc, blockName, (block) =>
    changeMember<Container>(block, path, (outer) => {
      const counted = countsItems(outer);
      const wrapped = outer.items.slice(from, to + 1);
      if (wrapped.length === 0) return outer;
      const numbered = (items: Item[]): Item[] =>
        items.map((item, index) => (item.kind === "repeat" ? item : { ...item, name: String(index) }));
      const taken = namesIn(block, path);
      const inner = {
        kind,
        name: counted ? String(from) : unique(STEMS[kind], taken),
        items:
          kind === "module_dict" ? keyed(wrapped) : counted || kind === "module_list" ? numbered(wrapped) : wrapped,
      } as Container;
      const items = [...outer.items.slice(0, from), inner, ...outer.items.slice(to + 1)];
      return { ...outer, items: counted ? numbered(items) : items };
    }),
  );
}

/** Items under names that say what they are, for a dict whose items had numbers. */
function keyed(items: Item[]): Item[] {
  const taken = new Set<string>();
  return items.map((item) => {
    if (item.kind === "repeat") return item;
    const name = unique(isName(item.name) ? item.name : snake(memberLabel(item)), taken);
    taken.add(name);
    return { ...item, name };
  });
}

/** The item that a drop puts into a Sequential, from a node that stands alone on the canvas: the node goes, its member moves. */
export function moveInto(doc: Doc, blockName: string, id: string, path: string, index: number): Doc {
  const block = doc.blocks[blockName];
  const found = block && calls(block, [id]);
  if (!block || !found || isRefusal(found) || found[0] === undefined) return doc;
  const [node] = found;
  const holder = memberAt(block, path);
  if (!isContainer(holder) || path === node.target || path.startsWith(`${node.target}.`)) return doc;
  const item = memberAt(block, node.target) as Item;
  const input = Object.values(argumentsOf(node)).find(isRef);
  const freed = changeGraph(doc, blockName, (graph) => {
    const nodes = graph.nodes.filter((it) => it.id !== id);
    // What the node fed is fed by what fed the node.
    const past = (path: (number | string)[]) => (input && path.length === 0 ? input : undefined);
    return changeRefs({ ...graph, nodes }, (it) => (it.$ref === refName(id) ? past(it.path) : it));
  });
  return changeBlock(freed, blockName, (it) => {
    const without = { ...it, members: it.members.filter((member) => member.name !== node.target) };
    return insertItem(without, path, index, { ...item, name: freshName(it, memberLabel(item), path) } as Item);
  });
}
