/** Saving what is on the screen, and choosing between versions where somebody else saved, too. */
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { queryClient } from "@/api/queries";
import type { Network } from "@/api/types";
import { adoptPlan } from "@/features/train/settings";
import { normalise } from "@/model/normalise";
import { useDocument } from "@/model/store";
import type { Doc } from "@/model/types";
import { same } from "@/model/values";
import { amend, forget, recall } from "./drafts";
import { fetchNetwork, keepDraft, show } from "./project";
import { standing, useProject } from "./store";

export const networksKey = ["networks"];
/** How long somebody who leaves a document waits for it to be saved; its draft waits longer. */
const PATIENCE_MS = 4000;

let sending: Promise<void> | null = null;

/** Saves what is on the screen, if it was loaded and has changed. One save at a time; the last state wins. */
export async function save(): Promise<void> {
  // Several callers may wait for one save; only the first of them finds nothing under way.
  while (sending) await sending;
  const { loaded, history } = useDocument.getState();
  const { saved } = useProject.getState();
  if (!loaded || saved === "saved" || saved === "conflict") return;
  sending = send(history.doc).finally(() => {
    sending = null;
  });
  await sending;
}

/** Saves also what was only opened, such as an example: it becomes a network of its own. */
export async function saveAnyway(): Promise<void> {
  if (standing(useProject.getState()) === "untouched") useProject.setState({ saved: "unsaved" });
  await save();
}

/** Who has what was on the screen: the service, this browser alone, or nobody, so that leaving it would lose it. */
export type Left = "saved" | "kept" | "nowhere";

/** Saves before another document is opened. */
export async function saveToLeave(): Promise<Left> {
  const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
  await Promise.race([save(), patience]);
  keepDraft();
  const { saved, kept } = useProject.getState();
  return saved === "saved" ? "saved" : kept ? "kept" : "nowhere";
}

async function send(document: Doc): Promise<void> {
  const { network, revision, draft } = useProject.getState();
  const { opened } = useDocument.getState();
  useProject.setState({ saved: "saving" });
  const left = () => useDocument.getState().opened !== opened;
  try {
    const answer = await sent(document, network, revision);
    if (network === null) adoptPlan(draft, answer.id);
    if (left()) settleDraft(draft, document, answer);
    else arrived(document, answer);
    void queryClient.invalidateQueries({ queryKey: networksKey });
  } catch (error) {
    // Another document may have been opened meanwhile; this refusal is then not about it.
    if (!left()) await failed(error, document, network, left);
  }
}

function sent(document: Doc, network: string | null, revision: number): Promise<Network> {
  const body = { document, name: document.name.slice(0, 200) };
  if (network === null) return unwrap(api.POST("/api/networks", { body }));
  const params = { path: { network_id: network }, header: { "if-match": `"${revision}"` } };
  return unwrap(api.PUT("/api/networks/{network_id}", { params, body }));
}

/** The service has a document of the screen's. */
function arrived(document: Doc, { id, revision }: Pick<Network, "id" | "revision">): void {
  const unchanged = useDocument.getState().history.doc === document;
  useProject.setState({ network: id, revision, saved: unchanged ? "saved" : "unsaved", error: null, theirs: null });
  keepDraft();
}

/** The service has the document of a draft that was left: what was edited after it goes on from there. */
function settleDraft(id: string, document: Doc, answer: Network): void {
  const draft = recall(id);
  if (draft?.document && !same(draft.document, document))
    amend(id, (it) => ({ ...it, network: answer.id, revision: answer.revision }));
  else forget(id);
}

async function failed(error: unknown, document: Doc, network: string | null, left: () => boolean): Promise<void> {
  if (network && error instanceof ApiError && error.code === "stale_revision") {
    const theirs = await fetchNetwork(network).catch(() => null);
    if (left()) return;
    if (theirs && same(normalise(theirs.document), document)) return arrived(document, theirs);
    useProject.setState({ saved: "conflict", theirs });
  } else if (network && error instanceof ApiError && error.status === 404) {
    // Deleted elsewhere: the next save stores it anew.
    useProject.setState({ network: null, revision: 0, saved: "unsaved" });
  } else useProject.setState({ saved: "failed", error });
  keepDraft();
}

/** Ends a conflict: with the newer revision, with one's own on top of it, or with one's own as a network apart. */
export async function settleConflict(choice: "theirs" | "mine" | "copy"): Promise<void> {
  const { theirs, draft } = useProject.getState();
  if (choice === "theirs" && theirs) {
    show(normalise(theirs.document), { network: theirs.id, revision: theirs.revision, draft });
    return;
  }
  useProject.setState(
    choice === "mine" && theirs
      ? { revision: theirs.revision, saved: "unsaved", theirs: null }
      : { network: null, revision: 0, saved: "unsaved", theirs: null },
  );
  await save();
}
