/** Makes of what is selected something else: a container, a class, a repeat, an instance of its own; and back. */
import type { Texts } from "@/i18n";
import type { Offer, Use } from "@/model/alike";
import { extractRefused } from "@/model/extract";
import { extractUses } from "@/model/extractUses";
import { GAP, NODE_WIDTH } from "@/model/geometry";
import { nodeAt, place, viewOf } from "@/model/graph";
import { type GroupKind, group, groupRefused } from "@/model/group";
import { inline, inlineable } from "@/model/inline";
import { detachInstance, instancesOf, repeatNode } from "@/model/instances";
import { isContainer, parentOf } from "@/model/members";
import { calledBy, memberPorts } from "@/model/ports";
import { canRepeat, repeatedPath, repeatItem } from "@/model/repeat";
import { callAgain, ownClass, ownMember } from "@/model/sharing";
import { freePlace } from "@/model/spots";
import { apply, currentDoc } from "@/model/store";
import type { Block, Doc } from "@/model/types";
import { ungroup, ungroupRefused } from "@/model/ungroup";
import { select, useView } from "@/model/view";
import { toast } from "@/ui/Toasts";
import { lookup } from "./catalogue";
import { here, pointAt, reveal, selectedMember } from "./selected";

/** Makes a container of the selected nodes. */
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
export function containerPath(): string | null {
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
export function blockCall(): string | null {
  const { doc, block, nodeIds } = here();
  const [id] = nodeIds;
  return id && nodeIds.length === 1 && inlineable(doc, block, id) ? id : null;
}

export function dissolve(): void {
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

/** The one selected node, if it calls something. */
export function calledOnce(): string | null {
  const { doc, block, nodeIds } = here();
  const [id] = nodeIds;
  return id && nodeIds.length === 1 && !useView.getState().item && callAgain(doc, block, id) ? id : null;
}

/** A second node that calls the same, beside the first. */
export function callOnceMore(): void {
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
export function detached(): Own | null {
  const { doc, block, its } = here();
  const id = calledOnce();
  const own = id ? ownMember(doc, block, id) : doc;
  if (own !== doc) return { doc: own };
  const path = selectedMember();
  if (!path) return null;
  return detachInstance(doc, block, path, instancesOf(its, path) - 1) ?? ownClass(doc, block, path);
}

export function detach(next: Own | null = detached()): void {
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
export function repeatable(): { doc: Doc; item: string } | null {
  const { doc, block, its, nodeIds } = here();
  const { item } = useView.getState();
  if (item)
    return canRepeat(its, item) ? { doc: repeatItem(doc, block, item, 2), item: repeatedPath(its, item) } : null;
  const [id] = nodeIds;
  return id && nodeIds.length === 1 ? repeatNode(doc, block, id, 2) : null;
}

/** Shows the repeat's form, with the field of how often under the cursor. */
export function repeat(): void {
  const made = repeatable();
  if (!made) return;
  const called = selectedMember() ?? "";
  apply(
    ({ editor: t }) => t.steps.repeat(called),
    () => made.doc,
  );
  useView.setState({ item: made.item });
}
