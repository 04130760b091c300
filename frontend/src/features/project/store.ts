/** Which stored network is open, and how far what is on the screen is saved. */
import { create } from "zustand";
import type { Network } from "@/api/types";

export type Saved =
  /** As the service has it; or as it was opened, where the service has no network of it: see `standing`. */
  | "saved"
  | "unsaved"
  | "saving"
  /** The service could not be reached or refused; the draft in this browser is safe. */
  | "failed"
  /** Somebody saved a newer revision: nothing is sent until the user has chosen. */
  | "conflict";

type Project = {
  /** Null for what the service does not have yet: an example, a new network, an import. */
  network: string | null;
  /** The revision on which the next save builds. */
  revision: number;
  saved: Saved;
  error: unknown;
  /** The newer revision of a conflict. */
  theirs: Network | null;
  /** Under which this browser keeps it. */
  draft: string;
  /** Whether this browser had room for the draft. */
  kept: boolean;
};

/** What a person is told. An example that nobody has changed is in no store: it is not saved, and needs no saving. */
export const standing = ({ network, saved }: Project): Saved | "untouched" =>
  saved === "saved" && network === null ? "untouched" : saved;

export const useProject = create<Project>(() => ({
  network: null,
  revision: 0,
  saved: "saved",
  error: null,
  theirs: null,
  draft: "",
  kept: true,
}));
