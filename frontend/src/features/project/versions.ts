/** The states of a network that the service keeps: each save is one, and a person may name it. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { queryClient } from "@/api/queries";
import type { Revision } from "@/api/types";
import type { StepName } from "@/model/history";
import { normalise } from "@/model/normalise";
import { apply } from "@/model/store";
import { enterMain } from "@/model/view";
import { saveAnyway } from "./save";
import { useProject } from "./store";

const PAGE = 100;
const versionsKey = (network: string | null) => ["versions", network];

/** The newest first. A save since then is another list. */
export const versionsQuery = (network: string | null, revision: number, labelled: boolean) =>
  infiniteQueryOptions({
    queryKey: [...versionsKey(network), revision, labelled],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, offset: pageParam, labelled };
      const params = { path: { network_id: network ?? "" }, query };
      return unwrap(api.GET("/api/networks/{network_id}/revisions", { params, signal }));
    },
    initialPageParam: 0,
    getNextPageParam: (last, all) => (last.length < PAGE ? undefined : all.length * PAGE),
    enabled: network !== null,
    placeholderData: (before) => before,
    gcTime: 0,
  });

/** Gives a version a name; an empty one takes it away. */
export async function nameVersion(network: string, revision: number, label: string): Promise<void> {
  const params = { path: { network_id: network, revision } };
  await unwrap(api.PATCH("/api/networks/{network_id}/revisions/{revision}", { params, body: { label } }));
  await queryClient.invalidateQueries({ queryKey: versionsKey(network) });
}

/** Saves what is on the screen, and gives it a name. False where it could not be saved. */
export async function keepVersion(label: string): Promise<boolean> {
  await saveAnyway();
  const { network, revision, saved } = useProject.getState();
  if (network === null || saved !== "saved") return false;
  await nameVersion(network, revision, label);
  return true;
}

/** Shows an earlier version again, as a step that can be undone. Nothing is taken out of the list. */
export async function goBack(network: string, { revision }: Revision, step: StepName): Promise<void> {
  const params = { path: { network_id: network, revision } };
  const found = await unwrap(api.GET("/api/networks/{network_id}/revisions/{revision}", { params }));
  const document = normalise(found.document);
  apply(step, () => document);
  enterMain(document);
}
