/** The code of layers of one's own, which a document carries with it. */
import { MalformedDocument } from "./normalise";
import type { Doc } from "./types";

type Code = Doc["code"];

/** What members and nodes call such a layer by, before the name of its class. */
const OWN = "python.";

export const isOwn = (target: string): boolean => target.startsWith(OWN);

/** With the code of a layer that it is about to use. What the document has under this name already stays as it is. */
export function carrying(doc: Doc, target: string, source: string | undefined): Doc {
  const name = target.slice(OWN.length);
  if (!isOwn(target) || source === undefined || doc.code[name]) return doc;
  return { ...doc, code: { ...doc.code, [name]: { source } } };
}

/** The code of the layers that these parts of a document are made of. */
export function codeOf(doc: Doc, blocks: Doc["blocks"]): Code {
  return Object.fromEntries(Object.entries(doc.code).filter(([name]) => mentions(blocks, OWN + name)));
}

/** @throws MalformedDocument where the document has another layer under a name. */
export function withCode(doc: Doc, code: Code): Doc {
  let next = doc;
  for (const [name, { source }] of Object.entries(code)) {
    const present = doc.code[name];
    if (present && present.source !== source) throw new MalformedDocument("code_differs", name);
    next = carrying(next, OWN + name, source);
  }
  return next;
}

function mentions(value: unknown, target: string): boolean {
  if (typeof value !== "object" || value === null) return value === target;
  return Object.values(value).some((item) => mentions(item, target));
}
