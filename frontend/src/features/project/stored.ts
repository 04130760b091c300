/** The networks that the service has, those alone that are in the list: found, renamed, deleted. */
import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { queryClient } from "@/api/queries";
import type { NetworkSummary } from "@/api/types";
import { renameDocument } from "@/model/edit";
import type { StepName } from "@/model/history";
import { normalise } from "@/model/normalise";
import { apply } from "@/model/store";
import { amend, drafts, holds } from "./drafts";
import { fetchNetwork, keepDraft, leftDrafts } from "./project";
import { networksKey, save } from "./save";
import { useProject } from "./store";
import { livingTabs } from "./tab";

/** As many as the service gives at once. */
const PAGE = 200;
/** The service stores no longer name. */
export const LONGEST_NAME = 200;

/** All of them, last saved first: a search has to find the oldest, too. */
export const networksQuery = queryOptions({
  queryKey: networksKey,
  queryFn: async ({ signal }) => {
    // What is saved while pages arrive moves others down, so that they come twice.
    const found = new Map<string, NetworkSummary>();
    for (let offset = 0; ; offset += PAGE) {
      const query = { limit: PAGE, offset };
      const page = await unwrap(api.GET("/api/networks", { params: { query }, signal }));
      for (const network of page) if (!found.has(network.id)) found.set(network.id, network);
      if (page.length < PAGE) return [...found.values()];
    }
  },
});

/** Those whose name has every word of a query. */
export function named(networks: readonly NetworkSummary[], query: string): NetworkSummary[] {
  const words = query.toLowerCase().split(/\s+/);
  return networks.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
}

const isOpen = (id: string): boolean => useProject.getState().network === id;

/** Whether another tab of this browser has it open. */
export async function isOpenElsewhere(id: string): Promise<boolean> {
  const lives = await livingTabs();
  return drafts().some((draft) => draft.network === id && lives(draft.tab));
}

/** Gives a network another name: the open one by a step that can be undone, any other where it is stored. */
export async function renameStored(id: string, name: string, step: StepName): Promise<void> {
  if (isOpen(id)) {
    apply(step, (doc) => renameDocument(doc, name));
    useProject.setState(({ saved }) => (saved === "saved" ? { saved: "unsaved" } : {}));
    await save();
    const { saved, error } = useProject.getState();
    if (saved === "failed") throw error;
    return;
  }
  const network = await fetchNetwork(id);
  const document = renameDocument(normalise(network.document), name);
  const params = { path: { network_id: id }, header: { "if-match": `"${network.revision}"` } };
  const { revision } = await unwrap(api.PUT("/api/networks/{network_id}", { params, body: { document, name } }));
  // Unsaved changes of it go on from the new name: nobody else has changed anything.
  for (const draft of (await leftDrafts()).filter((it) => it.network === id && it.revision === network.revision))
    amend(draft.id, (it) => (holds(it) ? { ...it, revision, document: renameDocument(it.document, name) } : it));
  await queryClient.invalidateQueries({ queryKey: networksKey });
}

/** Deletes a network with its versions. The open one stays on the screen, as one that the service does not have. */
export async function deleteStored(id: string): Promise<void> {
  // A save that is due would otherwise store it anew.
  if (isOpen(id)) await save();
  await unwrap(api.DELETE("/api/networks/{network_id}", { params: { path: { network_id: id } } })).catch(
    (error: unknown) => {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    },
  );
  if (isOpen(id)) {
    useProject.setState({ network: null, revision: 0 });
    keepDraft();
  }
  await queryClient.invalidateQueries({ queryKey: networksKey });
}
