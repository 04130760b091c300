/** Opening, saving and choosing between versions of a network. */
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { queryClient } from "@/api/queries";
import type { Network } from "@/api/types";
import { emptyDocument, normalise } from "@/model/normalise";
import { useDocument } from "@/model/store";
import type { Doc } from "@/model/types";
import { enterMain } from "@/model/view";
import { type Draft, forget, keep, recall } from "./drafts";
import { useProject } from "./store";

export const networksKey = ["networks"];

/** Shows a document; its history begins here. */
function show(document: Doc, project: { network: string | null; revision: number; dirty?: boolean }): void {
  useDocument.getState().open(document);
  enterMain(document);
  useProject.setState({
    network: project.network,
    revision: project.revision,
    saved: project.dirty ? "unsaved" : "saved",
    error: null,
    theirs: null,
  });
}

/** Opens something that the service does not have as a network: an example, an import, an empty one. */
export function openCopy(document: unknown, dirty = false): void {
  forget(null);
  show(normalise(document), { network: null, revision: 0, dirty });
  keepDraft();
}

const fetchNetwork = (id: string): Promise<Network> =>
  unwrap(api.GET("/api/networks/{network_id}", { params: { path: { network_id: id } } }));

export async function openNetwork(id: string): Promise<void> {
  const network = await fetchNetwork(id);
  resume(network, recall(id));
  keepDraft();
}

/** The stored network, or the unsaved changes that this browser still holds of it. */
function resume(network: Network, draft: Draft | null): void {
  const { id, revision } = network;
  if (!draft?.dirty) {
    show(normalise(network.document), { network: id, revision });
    return;
  }
  show(draft.document, { network: id, revision: draft.revision, dirty: true });
  if (draft.revision !== revision) useProject.setState({ saved: "conflict", theirs: network });
}

/** At the start: what was open last in this browser, else the first example. */
export async function openAtStart(): Promise<void> {
  const draft = recall();
  if (draft?.network) {
    const network = await fetchNetwork(draft.network).catch((error: unknown) => {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    });
    if (network) {
      resume(network, draft);
      return;
    }
  }
  // What was never stored, or was deleted elsewhere, lives on in this browser.
  if (draft && (draft.dirty || draft.network === null)) {
    show(draft.document, { network: null, revision: 0, dirty: draft.dirty });
    return;
  }
  const [first] = await unwrap(api.GET("/api/examples"));
  openCopy(first?.document ?? emptyDocument(""));
}

/** Writes the draft of this browser now. */
export function keepDraft(): void {
  const { history, loaded } = useDocument.getState();
  const { network, revision, saved } = useProject.getState();
  if (loaded) keep({ network, revision, dirty: saved !== "saved", document: history.doc });
}

let sending: Promise<void> | null = null;

/** Saves what is on the screen, if it was loaded and has changed. One save at a time; the last state wins. */
export async function save(): Promise<void> {
  if (sending) await sending;
  const { loaded, history } = useDocument.getState();
  const { saved } = useProject.getState();
  if (!loaded || saved === "saved" || saved === "conflict") return;
  sending = send(history.doc).finally(() => {
    sending = null;
  });
  await sending;
}

async function send(document: Doc): Promise<void> {
  const { network, revision } = useProject.getState();
  const { opened } = useDocument.getState();
  useProject.setState({ saved: "saving" });
  const body = { document, name: document.name.slice(0, 200) };
  try {
    const answer = network
      ? await unwrap(
          api.PUT("/api/networks/{network_id}", {
            params: { path: { network_id: network }, header: { "if-match": `"${revision}"` } },
            body,
          }),
        )
      : await unwrap(api.POST("/api/networks", { body }));
    const now = useDocument.getState();
    // Another document may have been opened meanwhile; this answer is then not about it.
    if (now.opened !== opened) return;
    if (!network) forget(null);
    const unchanged = now.history.doc === document;
    useProject.setState({
      network: answer.id,
      revision: answer.revision,
      saved: unchanged ? "saved" : "unsaved",
      error: null,
    });
    keepDraft();
    void queryClient.invalidateQueries({ queryKey: networksKey });
  } catch (error) {
    if (useDocument.getState().opened !== opened) return;
    await failed(error, network);
  }
}

async function failed(error: unknown, network: string | null): Promise<void> {
  if (network && error instanceof ApiError && error.code === "stale_revision") {
    const theirs = await fetchNetwork(network).catch(() => null);
    useProject.setState({ saved: "conflict", theirs });
  } else if (network && error instanceof ApiError && error.status === 404) {
    // Deleted elsewhere: the next save stores it anew.
    useProject.setState({ network: null, revision: 0, saved: "unsaved" });
  } else useProject.setState({ saved: "failed", error });
  keepDraft();
}

/** Ends a conflict: with the newer revision, with one's own on top of it, or with one's own as a network apart. */
export async function settleConflict(choice: "theirs" | "mine" | "copy"): Promise<void> {
  const { theirs, network } = useProject.getState();
  if (choice === "theirs" && theirs) {
    forget(network);
    show(normalise(theirs.document), { network: theirs.id, revision: theirs.revision });
    keepDraft();
    return;
  }
  useProject.setState(
    choice === "mine" && theirs
      ? { revision: theirs.revision, saved: "unsaved", theirs: null }
      : { network: null, revision: 0, saved: "unsaved", theirs: null },
  );
  await save();
}
