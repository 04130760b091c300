/** Everything that can be done in the editor, once: keys, menus and the command palette all take it from here. */
import { beginTour } from "@/features/help/tour";
import type { Texts } from "@/i18n";
import { copy, copyItem, duplicate, isCopied, paste } from "@/model/clipboard";
import { disconnectEdge } from "@/model/connect";
import { toggleCollapsed } from "@/model/edit";
import { extractRefused } from "@/model/extract";
import { freeSpot, NODE_HEIGHT, NODE_WIDTH } from "@/model/geometry";
import { edges, nodeAt, OUTPUT, viewOf } from "@/model/graph";
import { type GroupKind, groupRefused } from "@/model/group";
import type { StepName } from "@/model/history";
import { bare, inside, real, resolve } from "@/model/members";
import { removeMember, removeNodes } from "@/model/nodes";
import { MalformedDocument } from "@/model/normalise";
import { type Place, qualified } from "@/model/report";
import { reflowed } from "@/model/room";
import { apply, useDocument } from "@/model/store";
import type { Position } from "@/model/types";
import { clearSelection, goUp, openBlock, placeIn, select, useView } from "@/model/view";
import { toast } from "@/ui/Toasts";
import { lookup } from "./catalogue";
import {
  blockCall,
  calledOnce,
  callOnceMore,
  containerPath,
  detach,
  detached,
  dissolve,
  groupAs,
  makeBlock,
  repeat,
  repeatable,
} from "./restructuring";
import { canvasActions, here, pointAt, selectedMember } from "./selected";
import { type HelpCard, readClipboard, useCanvas, writeClipboard } from "./state";

/** Where the first node of a paste has its corner, so that the pointer is in the middle of it. */
function pasteCorner(): Position {
  const { x, y } = pointAt(useCanvas.getState().pointer);
  return { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 };
}
export type CommandId =
  | "undo"
  | "redo"
  | "copy"
  | "cut"
  | "paste"
  | "duplicate"
  | "delete"
  | "selectAll"
  | "addLayer"
  | "connectTo"
  | "callAgain"
  | "detach"
  | "group"
  | "groupSequential"
  | "groupList"
  | "groupDict"
  | "groupBlock"
  | "ungroup"
  | "repeat"
  | "open"
  | "goUp"
  | "layout"
  | "layoutSelection"
  | "fit"
  | "zoomToSelection"
  | "find"
  | "layerHelp"
  | "shortcuts"
  | "tour";

export type Command = {
  id: CommandId;
  keys: string;
  enabled: () => boolean;
  run: () => void | Promise<void>;
};

/** `label` names the step where it is more than a removal. */
function removeSelected(label?: StepName): void {
  const { block, its, ids } = here();
  const { item, edges: chosen } = useView.getState();
  if (item) {
    apply(label ?? (({ editor: t }) => t.steps.remove(item)), (doc) =>
      reflowed(doc, removeMember(doc, block, item), block),
    );
    useView.setState({ item: null });
    return;
  }
  const gone = edges(its.forward).filter((edge) => chosen.has(edge.id));
  const nodes = ids.filter((id) => id !== OUTPUT);
  if (gone.length + nodes.length === 0) return;
  apply(label ?? (({ editor: t }) => t.steps.delete(nodes.length, gone.length)), (doc) =>
    // From the back, so that the places inside a list stay right.
    removeNodes(
      gone.toReversed().reduce((now, edge) => disconnectEdge(now, block, edge), doc),
      block,
      nodes,
    ),
  );
  clearSelection();
}

/** The selection as text: nodes, or an item of a box with the nodes that call it by itself. */
export const selectionText = (): string | null => {
  const { doc, block, its, nodeIds } = here();
  const { item } = useView.getState();
  if (!item) return copy(doc, block, nodeIds);
  const calls = its.forward.nodes.filter((node) => node.op !== "function" && inside(real(its, node.target), item));
  return calls.length > 0
    ? copy(
        doc,
        block,
        calls.map((node) => node.id),
      )
    : copyItem(doc, block, item);
};

/** Pastes a text; says so when it holds nothing that can be pasted. */
export function pasteText(text: string, t: Texts["editor"]): void {
  const { doc, block } = here();
  if (!isCopied(text)) {
    if (text.trim()) toast(t.clipboard.bad, t.clipboard.badHint);
    return;
  }
  try {
    const pasted = paste(doc, block, text, freeSpot(doc, block, pasteCorner()));
    apply(
      ({ editor: t }) => t.steps.paste(pasted.ids.length),
      () => pasted.doc,
    );
    select(pasted.ids);
  } catch (error) {
    if (!(error instanceof MalformedDocument)) throw error;
    toast(t.clipboard.bad, t.malformed[error.code](error.what));
  }
}

/** The block that the selected node or item is an instance of. */
function openable(): Place | null {
  const { doc, its } = here();
  const path = selectedMember();
  const member = path ? resolve(its, path) : null;
  const found = member && bare(member);
  if (!path || found?.kind !== "block" || !doc.blocks[found.block]) return null;
  const { instance } = placeIn(useView.getState().trail, doc);
  return { block: found.block, instance: qualified(instance, path) };
}

/** Opens that block; a folded container unfolds instead. */
export function openSelected(): void {
  const place = openable();
  if (place) openBlock(place);
  else unfold();
}

function unfold(): void {
  const { doc, block, nodeIds } = here();
  const [id] = nodeIds;
  if (id && viewOf(doc, block).collapsed.includes(id))
    apply(
      ({ editor: t }) => t.steps.fold,
      (it) => reflowed(it, toggleCollapsed(it, block, id), block),
    );
}

const depth = (): number => useView.getState().trail.length;

/** The commands in the order of the menu. */
export function commands(t: Texts["editor"]): Command[] {
  const { history } = useDocument.getState();
  const some = () => here().ids.some((id) => id !== OUTPUT);
  const nodes = () => here().nodeIds.length > 0;
  const can = (kind: GroupKind) => () => groupRefused(here().its, here().nodeIds, kind) === null;
  return [
    { id: "addLayer", keys: "/", enabled: () => true, run: () => canvasActions()?.quickAdd() },
    { id: "undo", keys: "Mod+Z", enabled: () => history.past.length > 0, run: () => useDocument.getState().undo() },
    {
      id: "redo",
      keys: "Mod+Shift+Z",
      enabled: () => history.future.length > 0,
      run: () => useDocument.getState().redo(),
    },
    { id: "cut", keys: "Mod+X", enabled: nodes, run: () => cut() },
    { id: "copy", keys: "Mod+C", enabled: nodes, run: () => void writeClipboard(selectionText() ?? "") },
    { id: "paste", keys: "Mod+V", enabled: () => true, run: async () => pasteText(await readClipboard(), t) },
    { id: "duplicate", keys: "Mod+D", enabled: nodes, run: () => duplicateSelected() },
    {
      id: "delete",
      keys: "Delete",
      enabled: () => some() || useView.getState().edges.size > 0 || useView.getState().item !== null,
      run: () => removeSelected(),
    },
    { id: "selectAll", keys: "Mod+A", enabled: () => true, run: selectAll },
    {
      id: "connectTo",
      keys: "C",
      enabled: () => here().ids.length === 1,
      run: () => useCanvas.setState({ dialog: "connect" }),
    },
    { id: "callAgain", keys: "A", enabled: () => calledOnce() !== null, run: () => callOnceMore() },
    { id: "detach", keys: "", enabled: () => detached() !== null, run: () => detach() },
    { id: "group", keys: "Mod+G", enabled: nodes, run: () => useCanvas.setState({ dialog: "group" }) },
    { id: "groupSequential", keys: "", enabled: can("sequential"), run: () => groupAs("sequential", t) },
    { id: "groupList", keys: "", enabled: can("module_list"), run: () => groupAs("module_list", t) },
    { id: "groupDict", keys: "", enabled: can("module_dict"), run: () => groupAs("module_dict", t) },
    {
      id: "groupBlock",
      keys: "",
      enabled: () => extractRefused(here().its, here().nodeIds) === null,
      run: () => makeBlock(t, "Block"),
    },
    {
      id: "ungroup",
      keys: "Mod+Shift+G",
      enabled: () => containerPath() !== null || blockCall() !== null,
      run: () => dissolve(),
    },
    { id: "repeat", keys: "R", enabled: () => repeatable() !== null, run: () => repeat() },
    { id: "open", keys: "Enter", enabled: () => openable() !== null, run: openSelected },
    { id: "goUp", keys: "Alt+ArrowUp", enabled: () => depth() > 1, run: () => goUp(depth() - 2) },
    { id: "layout", keys: "L", enabled: () => true, run: () => canvasActions()?.layout() },
    {
      id: "layoutSelection",
      keys: "Shift+L",
      enabled: () => here().ids.length > 1,
      run: () => canvasActions()?.layout(here().ids),
    },
    { id: "fit", keys: "F", enabled: () => true, run: () => canvasActions()?.fit() },
    { id: "zoomToSelection", keys: ".", enabled: some, run: () => canvasActions()?.zoomToSelection() },
    { id: "find", keys: "Mod+F", enabled: () => true, run: () => useCanvas.setState({ dialog: "palette" }) },
    {
      id: "layerHelp",
      keys: "F1",
      enabled: () => documented() !== null,
      run: () => useCanvas.setState({ help: documented() }),
    },
    { id: "shortcuts", keys: "?", enabled: () => true, run: () => useCanvas.setState({ dialog: "shortcuts" }) },
    { id: "tour", keys: "", enabled: () => true, run: beginTour },
  ];
}

/** The layer or operation that is selected, where the catalogue knows it. */
function documented(): HelpCard | null {
  const { its, nodeIds } = here();
  const path = selectedMember();
  const member = path ? resolve(its, path) : null;
  const layer = member && bare(member);
  const node = nodeIds.length === 1 ? nodeAt(its.forward, nodeIds[0] as string) : undefined;
  const chosen = layer?.kind === "layer" ? layer : !path && node?.op === "function" ? node : null;
  return chosen && lookup(chosen.target) ? { name: chosen.target, arguments: chosen.arguments } : null;
}

function cut(): void {
  const text = selectionText();
  if (text === null) return;
  void writeClipboard(text);
  removeCopied();
}

/** Removes what a copy of the selection holds: inputs are in none, so they stay. */
export function removeCopied(): void {
  const { item } = useView.getState();
  if (!item) select(here().nodeIds);
  const nodes = here().nodeIds.length;
  removeSelected(({ editor: t }) => (item ? t.steps.cut(item) : t.steps.cutNodes(nodes)));
}

function duplicateSelected(): void {
  const { doc, block, nodeIds } = here();
  const made = duplicate(doc, block, nodeIds);
  if (!made) return;
  apply(
    ({ editor: t }) => t.steps.duplicate(made.ids.length),
    () => made.doc,
  );
  select(made.ids);
}

function selectAll(): void {
  const { its } = here();
  select([
    ...its.forward.inputs.map((input) => `input:${input.name}`),
    ...its.forward.nodes.map((node) => node.id),
    OUTPUT,
  ]);
}
