/** Everything on the canvas that can be looked for by its name, type or shape: inputs, nodes, and items of boxes. */
import type { Report } from "@/api/types";
import { inputId } from "@/model/graph";
import { bare, isContainer, kindOf, lastOf, walkMembers } from "@/model/members";
import { calledBy, entryOf, type Lookup } from "@/model/ports";
import { nodeReport, type Place, qualified, resultText } from "@/model/report";
import type { Block, Doc, Item, Member } from "@/model/types";

export type Findable = {
  /** On the canvas. */
  id: string;
  /** Path of an item inside the node's box; null for the node itself. */
  item: string | null;
  name: string;
  type: string;
  shape: string;
};

/** What can be found in the block that is shown. `typeName` words a type that is none of the catalogue's. */
export function findables(
  doc: Doc,
  place: Place,
  lookup: Lookup,
  report: Report | null,
  typeName: (kind: string) => string,
): Findable[] {
  const block = doc.blocks[place.block];
  if (!block) return [];
  const batch = report?.totals.batch ?? 0;
  const typeOf = (member: Member | Item): string => {
    const it = bare(member);
    return (it.kind === "layer" && lookup(it.target)?.label) || typeName(kindOf(it));
  };
  const inputs = block.forward.inputs.map(({ name }): Findable => {
    const shape = place.block === doc.main ? (doc.inputs[name]?.shape.join("×") ?? "") : "";
    return { id: inputId(name), item: null, name, type: typeName("input"), shape };
  });
  const nodes = block.forward.nodes.flatMap((node): Findable[] => {
    const member = calledBy(block, node);
    const type = entryOf(block, node, lookup)?.label ?? (member ? typeOf(member) : lastOf(node.target));
    const name = node.op === "function" ? (node.name ?? type) : node.target;
    const shape = resultText(nodeReport(report, place, node.id)?.output, batch);
    return [{ id: node.id, item: null, name, type, shape }];
  });
  const items = boxedItems(block).map(({ id, path, member }): Findable => {
    const shape = resultText(report?.modules[qualified(place.instance, path)]?.output, batch);
    return { id, item: path, name: path, type: typeOf(member), shape };
  });
  return [...inputs, ...nodes, ...items];
}

/** Items that are drawn inside a node, each with the first node that calls its container whole. */
function boxedItems(block: Block): { id: string; path: string; member: Member | Item }[] {
  const boxes = new Map(
    block.forward.nodes
      .toReversed()
      .flatMap((node) => (isContainer(calledBy(block, node)) ? [[node.target, node.id]] : [])),
  );
  return walkMembers(block).flatMap(({ path, member }) => {
    for (const [box, id] of boxes) if (id && box && path.startsWith(`${box}.`)) return [{ id, path, member }];
    return [];
  });
}

/** Whether each word of a query is found in a thing's name, type or shape; `64x8` and `64 x 8` mean `64×8`. */
export function finds({ name, type, shape }: Findable, query: string): boolean {
  const text = `${name} ${type} ${shape}`.toLowerCase();
  const wanted = query.trim().toLowerCase();
  const asShape = wanted.replaceAll(/(?<=[\dn])\s*[x*×]\s*(?=\d)/g, "×");
  return [wanted, asShape].some((it) => it.split(/\s+/).every((word) => text.includes(word)));
}
