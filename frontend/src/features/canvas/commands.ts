/** Everything that can be done in the editor, once: keys, menus and the command palette all take it from here. */
import { beginTour } from "@/features/help/tour";
import type { Texts } from "@/i18n";
import type { Offer, Use } from "@/model/alike";
import { copy, copyItem, duplicate, isCopied, paste } from "@/model/clipboard";
import { disconnectEdge } from "@/model/connect";
import { toggleCollapsed } from "@/model/edit";
import { extractRefused } from "@/model/extract";
import { extractUses } from "@/model/extractUses";
import { freeSpot, GAP, NODE_HEIGHT, NODE_WIDTH } from "@/model/geometry";
import { edges, inputName, nodeAt, OUTPUT, place, viewOf } from "@/model/graph";
import { type GroupKind, group, groupRefused } from "@/model/group";
import type { StepName } from "@/model/history";
import { inline, inlineable } from "@/model/inline";
import { detachInstance, instancesOf, repeatNode } from "@/model/instances";
import { bare, inside, isContainer, parentOf, real, resolve } from "@/model/members";
import { removeMember, removeNodes } from "@/model/nodes";
import { MalformedDocument } from "@/model/normalise";
import { calledBy, memberPorts } from "@/model/ports";
import { canRepeat, repeatedPath, repeatItem } from "@/model/repeat";
import { type Place, qualified } from "@/model/report";
import { reflowed } from "@/model/room";
import { callAgain, ownClass, ownMember } from "@/model/sharing";
import { freePlace } from "@/model/spots";
import { apply, currentDoc, useDocument } from "@/model/store";
import type { Block, Doc, Position } from "@/model/types";
import { ungroup, ungroupRefused } from "@/model/ungroup";
import { clearSelection, goUp, openBlock, placeIn, select, useView } from "@/model/view";
import { toast } from "@/ui/Toasts";
import { lookup } from "./catalogue";
import { type HelpCard, readClipboard, useCanvas, writeClipboard } from "./state";

/** What only the canvas can do; set while it is mounted. */
export type CanvasActions = {
  fit: () => void;
  zoomToSelection: () => void;
  /** Of some nodes, or of all. */
  layout: (ids?: readonly string[]) => Promise<void>;
  /** Where on the canvas a point of the screen lies; without one, the middle of what is shown. */
  pointAt: (screen: Position | null) => Position;
  /** Moves the view as far as it takes to see a node whole. */
  reveal: (id: string) => void;
  /** Opens the search at the pointer, or in the middle. */
  quickAdd: () => void;
};
let canvas: CanvasActions | null = null;
export const setCanvasActions = (actions: CanvasActions | null): void => {
  canvas = actions;
};

/** Where on the canvas a point of the screen lies; without one, the middle of what is shown. */
export const pointAt = (screen: Position | null): Position => canvas?.pointAt(screen) ?? { x: 0, y: 0 };
/** Where the first node of a paste has its corner, so that the pointer is in the middle of it. */
function pasteCorner(): Position {
  const { x, y } = pointAt(useCanvas.getState().pointer);
  return { x: x - NODE_WIDTH / 2, y: y - NODE_HEIGHT / 2 };
}
export const reveal = (id: string): void => canvas?.reveal(id);

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

type Here = { doc: Doc; block: string; its: Block; ids: string[]; nodeIds: string[] };
/** The document, block and selection that a command works on. */
export function here(): Here {
  const doc = currentDoc();
  const { block } = placeIn(useView.getState().trail, doc);
  const its = doc.blocks[block] as Block;
  const known = (id: string) =>
    nodeAt(its.forward, id) !== undefined || its.forward.inputs.some((input) => input.name === inputName(id));
  const ids = [...useView.getState().selection].filter((id) => known(id) || id === OUTPUT);
  return { doc, block, its, ids, nodeIds: ids.filter((id) => nodeAt(its.forward, id) !== undefined) };
}

/** The member that the selection stands for: the item of a box, or what the one selected node calls. */
export function selectedMember(): string | null {
  const { its, nodeIds } = here();
  const { item } = useView.getState();
  if (item) return item;
  const node = nodeIds.length === 1 ? nodeAt(its.forward, nodeIds[0] as string) : undefined;
  return node && node.op !== "function" ? node.target : null;
}

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

export function groupAs(
  kind: GroupKind,
  t: Texts["editor"],
  options: { name?: string; keepNames?: boolean } = {},
): void {
  const { block, its, nodeIds } = here();
  const refused = groupRefused(its, nodeIds, kind);
  if (refused) {
    toast(t.group.refused, t.group.reasons[refused]);
    return;
  }
  apply(
    ({ editor: t }) => t.steps.group(t.structure[kind].label),
    (doc) => group(doc, block, nodeIds, kind, options),
  );
  const after = currentDoc().blocks[block] as Block;
  const left = nodeIds.filter((id) => nodeAt(after.forward, id));
  const target = nodeAt(after.forward, left[0] ?? "")?.target ?? "";
  // A list or dict has no node of its own: its form is shown for its items.
  select(left, kind === "sequential" ? null : parentOf(target));
}

/** Makes a class of the selected nodes. */
/** Makes a class of the selection, or of all the uses that are given, with the chosen numbers as its arguments. */
export function makeBlock(
  t: Texts["editor"],
  name: string,
  uses?: readonly Use[],
  chosen: readonly Offer[] = [],
): void {
  const { block, its, nodeIds } = here();
  const refused = extractRefused(its, nodeIds);
  if (refused) {
    toast(t.group.refused, t.group.reasons[refused]);
    return;
  }
  let ids: string[] = [];
  apply(
    ({ editor: t }) => t.steps.group(t.structure.block.label),
    (doc) => {
      const all = uses?.length ? uses : [{ ids: [...nodeIds], heads: [], numbers: new Map() }];
      const made = extractUses(doc, block, all, chosen, name);
      ids = made?.ids ?? [];
      return made?.doc ?? doc;
    },
  );
  select(ids.slice(0, 1));
}

/** What the catalogue says of a layer's parameter, or its own class of a block's. */
export function numberByDefault(target: string, parameter: string): number | undefined {
  const own = currentDoc().blocks[target]?.arguments.find((it) => it.name === parameter);
  const value = own ? own.default : lookup(target)?.parameters.find((it) => it.name === parameter)?.default;
  return typeof value === "number" ? value : undefined;
}

/** The container that Ungroup dissolves: the selected one, or the one that holds the selected item. */
function containerPath(): string | null {
  const { its } = here();
  const path = selectedMember();
  if (!path) return null;
  const { ids } = here();
  const node = nodeAt(its.forward, ids[0] ?? "");
  const own = node && calledBy(its, node);
  if (!useView.getState().item && isContainer(own)) return path;
  const itself = ungroupRefused(its, path) ? parentOf(path) : path;
  return itself && !ungroupRefused(its, itself) ? itself : null;
}

/** The call of a block that Ungroup dissolves. */
function blockCall(): string | null {
  const { doc, block, nodeIds } = here();
  const [id] = nodeIds;
  return id && nodeIds.length === 1 && inlineable(doc, block, id) ? id : null;
}

function dissolve(): void {
  const { doc: before, block } = here();
  const path = containerPath();
  const call = blockCall();
  if (call && !path) {
    const made = inline(before, block, call);
    if (!made) return;
    const called = selectedMember() ?? "";
    apply(
      ({ editor: t }) => t.steps.ungroup(called),
      () => made.doc,
    );
    select(made.ids);
  }
  if (!path) return;
  apply(
    ({ editor: t }) => t.steps.ungroup(path),
    (doc) =>
      ungroup(
        doc,
        block,
        path,
        (item) => memberPorts(doc, doc.blocks[block] as Block, item, lookup).inputs[0]?.name ?? "input",
      ),
  );
  useView.setState({ item: null });
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
    { id: "addLayer", keys: "/", enabled: () => true, run: () => canvas?.quickAdd() },
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
    { id: "layout", keys: "L", enabled: () => true, run: () => canvas?.layout() },
    {
      id: "layoutSelection",
      keys: "Shift+L",
      enabled: () => here().ids.length > 1,
      run: () => canvas?.layout(here().ids),
    },
    { id: "fit", keys: "F", enabled: () => true, run: () => canvas?.fit() },
    { id: "zoomToSelection", keys: ".", enabled: some, run: () => canvas?.zoomToSelection() },
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

/** The one selected node, if it calls something. */
function calledOnce(): string | null {
  const { doc, block, nodeIds } = here();
  const [id] = nodeIds;
  return id && nodeIds.length === 1 && !useView.getState().item && callAgain(doc, block, id) ? id : null;
}

/** A second node that calls the same, beside the first. */
function callOnceMore(): void {
  const { doc: before, block } = here();
  const id = calledOnce();
  const made = id && callAgain(before, block, id);
  if (!id || !made) return;
  const { x, y } = viewOf(before, block).positions[id] ?? pointAt(null);
  const at = freePlace(made.doc, block, made.id, { x: x + NODE_WIDTH + GAP, y }, lookup);
  const called = selectedMember() ?? "";
  apply(
    ({ editor: t }) => t.steps.callAgain(called),
    () => place(made.doc, block, { [made.id]: at }),
  );
  select([made.id]);
  reveal(made.id);
}

type Own = { doc: Doc; item?: string };
/** The document in which the selection has something of its own: its weights, else an instance of its own, else its class. */
function detached(): Own | null {
  const { doc, block, its } = here();
  const id = calledOnce();
  const own = id ? ownMember(doc, block, id) : doc;
  if (own !== doc) return { doc: own };
  const path = selectedMember();
  if (!path) return null;
  return detachInstance(doc, block, path, instancesOf(its, path) - 1) ?? ownClass(doc, block, path);
}

function detach(next: Own | null = detached()): void {
  if (!next) return;
  const called = selectedMember() ?? "";
  apply(
    ({ editor: t }) => t.steps.detach(called),
    () => next.doc,
  );
  if (next.item) useView.setState({ item: next.item });
}

/** Detaches one instance of the repeated item that is selected. */
export function detachOne(path: string, index: number): void {
  const { doc, block } = here();
  detach(detachInstance(doc, block, path, index));
}

/** What the selection is when it is built twice: an item of a container, or a node, which becomes a container. */
function repeatable(): { doc: Doc; item: string } | null {
  const { doc, block, its, nodeIds } = here();
  const { item } = useView.getState();
  if (item)
    return canRepeat(its, item) ? { doc: repeatItem(doc, block, item, 2), item: repeatedPath(its, item) } : null;
  const [id] = nodeIds;
  return id && nodeIds.length === 1 ? repeatNode(doc, block, id, 2) : null;
}

/** Shows the repeat's form, with the field of how often under the cursor. */
function repeat(): void {
  const made = repeatable();
  if (!made) return;
  const called = selectedMember() ?? "";
  apply(
    ({ editor: t }) => t.steps.repeat(called),
    () => made.doc,
  );
  useView.setState({ item: made.item });
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
