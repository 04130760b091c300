/** Applying a problem's mend to the document. */
import { applyPatch } from "rfc6902";
import type { Fix } from "@/api/types";
import { normalise } from "./normalise";
import { roomInFront } from "./room";
import type { Doc } from "./types";

/** The mended document, or null when an edit does not apply any more, because the document has changed since. */
export function mended(doc: Doc, fix: Pick<Fix, "edits">): Doc | null {
  const copy = structuredClone(doc);
  const edits = fix.edits.map(({ op, path, value }) => (op === "remove" ? { op, path } : { op, path, value }));
  const failures = applyPatch(copy, edits);
  return failures.some((failure) => failure !== null) ? null : roomInFront(normalise(copy));
}
