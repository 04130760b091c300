/** Where a problem lies, as the breadcrumb shows it: every block from the outermost to its own. */
import type { Problem, Report } from "@/api/types";
import { downstream, edges, nodeAt } from "@/model/graph";
import { bare, inside, memberAt, resolve, walkMembers } from "@/model/members";
import { type Place, qualified } from "@/model/report";
import type { Doc, Graph, GraphNode } from "@/model/types";

/** No module is called so: a block that nothing uses has no results, and is not to borrow those of another. */
const NOWHERE = "<unused>";

/** The blocks that are entered on the way to a qualified module name, the outermost first. */
export function trailAlong(doc: Doc, name: string): Place[] {
  const trail: Place[] = [{ block: doc.main, instance: "" }];
  let rest = name === "" ? [] : name.split(".");
  while (rest.length > 0) {
    const { block, instance } = trail.at(-1) as Place;
    const step = nextBlock(doc, block, rest);
    if (!step) break;
    trail.push({ block: step.block, instance: qualified(instance, rest.slice(0, step.length).join(".")) });
    rest = rest.slice(step.length);
  }
  return trail;
}

/** The first block that is entered on a path below a block, and how many steps of the path lead there. */
function nextBlock(doc: Doc, block: string, steps: string[]): { block: string; length: number } | null {
  const its = doc.blocks[block];
  for (let length = 1; its && length <= steps.length; length++) {
    const path = steps.slice(0, length).join(".");
    const found = memberAt(its, path) && resolve(its, path);
    const member = found && bare(found);
    if (member?.kind === "block" && doc.blocks[member.block]) return { block: member.block, length };
  }
  return null;
}

/** The way to a problem's block: to the instance it names, else to the first one that there is. */
export function trailTo(problem: Problem, doc: Doc, report: Report | null): Place[] {
  const block = problem.block ?? doc.main;
  const main: Place = { block: doc.main, instance: "" };
  if (block === doc.main) return [main];
  const leads = (name: string) => {
    const trail = trailAlong(doc, name);
    const end = trail.at(-1);
    return end?.block === block && end.instance === name ? trail : null;
  };
  const known = Object.keys(report?.modules ?? {});
  for (const name of problem.instance ? [problem.instance, ...known] : known) {
    const trail = leads(name);
    if (trail) return trail;
  }
  // A network that could not be built has no modules; what is drawn still says where the block is used.
  return drawnTrail(doc, block) ?? [main, { block, instance: NOWHERE }];
}

/** The node that calls a member of its block, or what holds it. */
export const callerOf = (graph: Graph, path: string): GraphNode | undefined =>
  graph.nodes.find((node) => node.op !== "function" && inside(path, node.target));

function drawnTrail(doc: Doc, wanted: string): Place[] | null {
  const seen = new Set([doc.main]);
  const open: Place[][] = [[{ block: doc.main, instance: "" }]];
  for (let trail = open.shift(); trail; trail = open.shift()) {
    const { block, instance } = trail.at(-1) as Place;
    if (block === wanted) return trail;
    const its = doc.blocks[block];
    for (const { path, member } of its ? walkMembers(its) : []) {
      const inner = bare(member);
      if (inner.kind !== "block" || seen.has(inner.block) || !doc.blocks[inner.block]) continue;
      seen.add(inner.block);
      open.push([...trail, { block: inner.block, instance: qualified(instance, path) }]);
    }
  }
  return null;
}

/** What a person calls a problem's node: the member that it calls, or the operation that it is; its id is not shown. */
export function nameOf({ block, node }: Problem, doc: Doc): string | null {
  const graph = doc.blocks[block ?? doc.main]?.forward;
  const found = graph && node ? nodeAt(graph, node) : undefined;
  if (!found) return node;
  return found.op === "function" ? found.target.slice(found.target.lastIndexOf(".") + 1) : found.target;
}

/** The result that leads nowhere, where a connection is missing: the last one that may feed the problem's place. */
export function looseEnd({ code, block, node }: Problem, doc: Doc): string | null {
  if (code === "disconnected") return node;
  const graph = doc.blocks[block ?? doc.main]?.forward;
  if (code !== "missing_input" || !graph || !node) return null;
  const read = new Set(edges(graph).map((edge) => edge.source));
  const fed = downstream(graph, node);
  const ends = [...graph.inputs.map((input) => `input:${input.name}`), ...graph.nodes.map((it) => it.id)];
  return ends.findLast((id) => !read.has(id) && !fed.has(id)) ?? null;
}
