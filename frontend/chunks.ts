import { fileURLToPath } from "node:url";
import type { Rolldown } from "vite";

type Graph = Rolldown.ChunkingContext;

const page = (name: string) => fileURLToPath(new URL(`./src/pages/${name}.tsx`, import.meta.url));
const EDITOR = page("EditorPage");
const OTHERS = ["RunsPage", "RunPage", "ComparePage", "DataPage"].map(page);
const OURS = /\/src\//;
/** What draws graphs. Of the pages, the editor alone needs it at once. */
const DRAWING = /\/node_modules\/(@xyflow|d3-)/;

/** All of ours that a module needs before it runs. */
function needed(id: string, graph: Graph, into: Set<string>): void {
  if (!OURS.test(id) || into.has(id)) return;
  into.add(id);
  for (const next of graph.getModuleInfo(id)?.importedIds ?? []) needed(next, graph, into);
}

let needs: { editor: Set<string>; others: Set<string> } | null = null;

/** The file that a module belongs to: the editor's, or that of what it has in common with other pages. */
function fileOf(id: string, graph: Graph): string | null {
  if (needs === null) {
    needs = { editor: new Set(), others: new Set() };
    needed(EDITOR, graph, needs.editor);
    for (const other of OTHERS) needed(other, graph, needs.others);
  }
  if (DRAWING.test(id)) return "drawing";
  // A page is named in the manifest by a file of its own.
  if (id === EDITOR || !needs.editor.has(id)) return null;
  return needs.others.has(id) ? "common" : "drawing";
}

/**
 * Few files rather than one for each set of pages that share something: two dozen for the editor, most of them so small
 * that they compress badly.
 */
export const groups = [
  { name: "base", tags: ["$initial" as const], priority: 2 },
  // What these need of libraries is divided as the builder sees fit.
  { name: fileOf, priority: 1, includeDependenciesRecursively: false },
];
