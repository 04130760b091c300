/** Choices among the items of a dict: of one by its key, or of all, which gives a dict. */
import { changeGraph, changeNode, changeRefs, nodeAt } from "./graph";
import type { Doc, Value } from "./types";
import { ref } from "./values";

/** Sets which item is chosen; null chooses all. What was taken of the result goes on being the same item's. */
export function setKey(doc: Doc, block: string, id: string, key: Value): Doc {
  return changeGraph(doc, block, (graph) => {
    const node = nodeAt(graph, id);
    if (node?.op !== "choose") return graph;
    const changed = changeNode(graph, id, (it) => ({ ...it, key }) as typeof node);
    const one = typeof key === "string" ? key : null;
    const before = typeof node.key === "string" ? node.key : null;
    return changeRefs(changed, (from) => {
      if (from.$ref !== id) return from;
      const [head, ...rest] = from.path;
      if (node.key === null && one !== null && head !== undefined) return head === one ? ref(id, rest) : undefined;
      return before !== null && key === null ? ref(id, [before, ...from.path]) : from;
    });
  });
}
