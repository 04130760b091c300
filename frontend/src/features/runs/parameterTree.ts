/** A row of the parameter tree: a module that can be folded, or a parameter. */
export interface TreeRow {
  /** Dotted path: of a module, or of a parameter (its state_dict key). */
  path: string;
  label: string;
  depth: number;
  parameter: boolean;
  folded: boolean;
}

/** Rows of a tree over dotted names, in their order; what lies under a folded module is left out. */
export function treeRows(names: readonly string[], folded: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  let open: string[] = [];
  for (const name of names) {
    const steps = name.split(".");
    const modules = steps.slice(0, -1);
    let shared = 0;
    while (shared < modules.length && shared < open.length && open[shared] === modules[shared]) shared++;
    for (let depth = shared; depth < modules.length; depth++) {
      const path = modules.slice(0, depth + 1).join(".");
      if (hidden(path, folded)) break;
      rows.push({ path, label: modules[depth] as string, depth, parameter: false, folded: folded.has(path) });
    }
    open = modules;
    if (hidden(name, folded)) continue;
    rows.push({ path: name, label: steps.at(-1) as string, depth: modules.length, parameter: true, folded: false });
  }
  return rows;
}

function hidden(path: string, folded: ReadonlySet<string>): boolean {
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    if (folded.has(path.slice(0, dot))) return true;
  }
  return false;
}
