/** Dissolving a container: its items become members, and a call of the whole becomes a call of each. */
import { headsMoved } from "./arrange";
import { changeBlock, changeRefs, nextId, place, viewOf } from "./graph";
import {
  changeMember,
  countsItems,
  inside,
  isContainer,
  itemName,
  join,
  lastOf,
  memberAt,
  memberLabel,
  namesIn,
  parentOf,
  real,
} from "./members";
import { isName, snake, unique } from "./names";
import { type Rearranged, rearrange, spellOut } from "./paths";
import { column, heightOf, shiftBelow } from "./room";
import type { Arguments, Block, Container, Doc, GraphNode, Item, Member } from "./types";
import { isRef, ref } from "./values";

type Call = Extract<GraphNode, { op: "call" }>;

/** Whether a container cannot be dissolved: some item has no name of its own, or something needs the container as such. */
export function ungroupRefused(block: Block, path: string): boolean {
  const container = memberAt(block, path);
  if (!isContainer(container) || container.kind.startsWith("parameter")) return true;
  if (container.items.some((item) => item.kind === "repeat")) return true;
  if (block.members.some((member) => member.kind === "alias" && real(block, member.of) === path)) return true;
  const parent = parentOf(path);
  const whole = block.forward.nodes.filter((node) => node.op !== "function" && node.target === path);
  if (parent)
    return container.kind !== "sequential" || memberAt(block, parent)?.kind !== "sequential" || whole.length > 0;
  return whole.some((node) => node.op === "choose" || node.op === "get");
}

/** What the items of a container are called outside of it. */
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
      when: node.when,
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
  const spelled = spellOut(doc, blockName, path, container.items.map(itemName));
  if (parentOf(path)) return rearrange(spelled, blockName, (it) => splice(it, path, container));
  const names = freedNames(block, path, container);
  const ports = container.items.map(portOf);
  const freed = rearrange(spelled, blockName, (it) => free(it, path, container, names));
  const dissolved = changeBlock(freed, blockName, (it) =>
    it.forward.nodes.reduce(
      (now, node) =>
        (node.op === "call" || node.op === "loop") && node.target === path ? unroll(now, node, names, ports) : now,
      it,
    ),
  );
  return unfolded(doc, dissolved, blockName);
}

/** A block whose container has given its place to its items. */
function free(block: Block, path: string, container: Container, names: string[]): Rearranged {
  const members = block.members.flatMap((member): Member[] =>
    member.name === path
      ? container.items.map((item, index) => ({ ...item, name: names[index], when: container.when }) as Member)
      : [member],
  );
  const places = new Map(container.items.map((item, index) => [itemName(item, index), names[index] ?? ""]));
  return { block: { ...block, members }, move: headsMoved(path, places, "") };
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
function splice(block: Block, path: string, container: Container): Rearranged {
  const parent = parentOf(path);
  const outer = memberAt(block, parent) as Container;
  const counted = countsItems(outer);
  const taken = namesIn(block, parent);
  taken.delete(lastOf(path));
  const found = outer.items.flatMap((item, index): { item: Item; old: string; name: string }[] => {
    if (itemName(item, index) !== lastOf(path))
      return [{ item, old: itemName(item, index), name: itemName(item, index) }];
    return container.items.map((inner, at) => {
      const name = unique(itemName(inner, at), taken);
      taken.add(name);
      return { item: inner, old: `${lastOf(path)}.${itemName(inner, at)}`, name };
    });
  });
  const placed = found.map(({ item, old, name }, index) => {
    const now = item.kind === "repeat" ? item : { ...item, name: counted ? String(index) : name };
    return { item: now, old: join(parent, old), now: join(parent, itemName(now, index)) };
  });
  const items = placed.map((it) => it.item);
  return {
    block: changeMember<Container>(block, parent, (it) => ({ ...it, items })),
    move: (used) => {
      const place = placed.find((it) => inside(used, it.old));
      return place ? place.now + used.slice(place.old.length) : used;
    },
  };
}
