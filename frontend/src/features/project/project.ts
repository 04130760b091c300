/** Opening networks: stored ones, copies, and the drafts that this browser kept. */
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import type { Example, Network } from "@/api/types";
import { rememberPlan } from "@/features/train/settings";
import { emptyDocument, normalise } from "@/model/normalise";
import { useDocument } from "@/model/store";
import type { Doc } from "@/model/types";
import { same } from "@/model/values";
import { enterMain } from "@/model/view";
import { type Draft, drafts, forget, holds, type Kept, keep, openBefore, recall } from "./drafts";
import { useProject } from "./store";
import { claimTab, freshId, livingTabs } from "./tab";

type Origin = { network: string | null; revision: number; dirty?: boolean; draft?: string };

/** Shows a document; its history begins here. What was shown before stays a draft while it is unsaved. */
export function show(document: Doc, { network, revision, dirty = false, draft = freshId() }: Origin): void {
  const before = useProject.getState();
  if (before.draft !== draft) {
    if (before.saved === "saved") forget(before.draft);
    else keepDraft();
  }
  useDocument.getState().open(document);
  enterMain(document);
  useProject.setState({
    network,
    revision,
    draft,
    saved: dirty ? "unsaved" : "saved",
    error: null,
    theirs: null,
  });
  keepDraft();
}

/**
 * Opens something that the service does not have as a network: an example, an import, an empty one.
 *
 * @param dirty it is saved at once: somebody made it, and it cannot be had again by choosing it from a list.
 * @throws MalformedDocument; what was open stays open then.
 */
export function openCopy(document: unknown, dirty = false): void {
  show(normalise(document), { network: null, revision: 0, dirty });
}

/** Opens a network that comes with the program, with the plan that comes with it. */
export function openExample({ document, plan }: Example): void {
  openCopy(document);
  rememberPlan(useProject.getState(), plan);
}

export const fetchNetwork = (id: string): Promise<Network> =>
  unwrap(api.GET("/api/networks/{network_id}", { params: { path: { network_id: id } } }));

/** Opens a stored network, with the unsaved changes that this browser still holds of it. */
export async function openNetwork(id: string): Promise<void> {
  const [network, left] = await Promise.all([fetchNetwork(id), leftDrafts()]);
  resume(network, left.find((draft) => draft.network === id) ?? null);
}

/** The stored network, or a draft's changes of it. */
function resume(network: Network, draft: Kept | null): void {
  const { id, revision } = network;
  const document = normalise(network.document);
  // A save whose answer never arrived was a save nevertheless.
  if (!draft || same(document, draft.document)) {
    if (draft) forget(draft.id);
    show(document, { network: id, revision });
    return;
  }
  show(draft.document, { network: id, revision: draft.revision, dirty: true, draft: draft.id });
  if (draft.revision !== revision) useProject.setState({ saved: "conflict", theirs: network });
}

/** A draft's document with nothing else to go by: the service is silent, or does not have the network any more. */
function showDraft({ id, network, revision, dirty, document }: Kept): void {
  show(document, { network, revision, dirty, draft: id });
}

/** Opens a draft on top of the network that it is of, if that still exists. */
export async function openDraft(draft: Kept): Promise<void> {
  const network = draft.network && (await stored(draft.network));
  if (network) resume(network, draft);
  else showDraft({ ...draft, network: null, revision: 0 });
}

/** A stored network; null when it was deleted elsewhere. */
const stored = (id: string): Promise<Network | null> =>
  fetchNetwork(id).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  });

/** Unsaved documents that no open tab shows: left behind here, or by tabs that are gone. */
export async function leftDrafts(): Promise<Kept[]> {
  const lives = await livingTabs();
  const { draft: open } = useProject.getState();
  return drafts()
    .filter(holds)
    .filter((draft) => draft.dirty && draft.id !== open && !lives(draft.tab));
}

/** At the start: what this tab had open, else what a lost tab left unsaved, else what was open last, else an example. */
export async function openAtStart(): Promise<void> {
  await claimTab();
  const lives = await livingTabs();
  const own = openBefore("tab");
  const [lost] = own ? [] : await leftDrafts();
  const last = own ?? lost ?? openBefore("browser");
  if (!last || !(await reopen(last, lives))) {
    const [first] = await unwrap(api.GET("/api/examples"));
    if (first) openExample(first);
    else openCopy(emptyDocument(""));
  }
  prune(lives);
}

/** Whether a draft could be opened again. */
async function reopen(draft: Draft, lives: (tab: string) => boolean): Promise<boolean> {
  // What another tab works on is opened as the service has it.
  const own = holds(draft) && !lives(draft.tab) ? draft : null;
  if (own?.network === null) {
    showDraft(own);
    return true;
  }
  if (draft.network === null) return false;
  try {
    const network = await stored(draft.network);
    if (network) resume(network, own?.dirty ? own : null);
    else if (own) showDraft({ ...own, network: null, revision: 0 });
    return network !== null || own !== null;
  } catch (error) {
    // Unsaved changes are within reach even while the service is not.
    if (!own?.dirty) throw error;
    showDraft(own);
    return true;
  }
}

/** Drafts that hold nothing unsaved are of use to the tab alone that has them open. */
function prune(lives: (tab: string) => boolean): void {
  const { draft: open } = useProject.getState();
  for (const draft of drafts()) if (!draft.dirty && draft.id !== open && !lives(draft.tab)) forget(draft.id);
}

/** Writes the draft of what is on the screen now. */
export function keepDraft(): void {
  const { history, loaded } = useDocument.getState();
  const { network, revision, saved, draft } = useProject.getState();
  if (!loaded || draft === "") return;
  const dirty = saved !== "saved";
  const kept = keep({ id: draft, network, revision, dirty, document: history.doc });
  // Where there is no room for a pointer nothing is lost.
  useProject.setState({ kept: kept || !dirty });
}

/** Throws a draft away. */
export function discardDraft(id: string): void {
  if (recall(id) && useProject.getState().draft !== id) forget(id);
}
