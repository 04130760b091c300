/** Layers and blocks by a call as Python writes it: `conv = Conv2d(3, 16, kernel_size=3)` in a search field. */
import { isName } from "@/model/names";
import type { Arguments, Doc, Value } from "@/model/types";
import type { Listed, Thing } from "./things";

export type Call = { name: string | null; callee: string; positional: Value[]; named: [string, Value][] };

const HEAD = /^\s*(?:(?:self\.)?([A-Za-z_]\w*)\s*=\s*)?(?:(?:torch\.)?nn\.)?([A-Za-z_]\w*)\s*(?:\((.*))?$/s;

/** Whether what is typed is meant as such a call, complete or not. */
export const isWritten = (query: string): boolean => /[(=]/.test(query);

/** The call that a text says; null for any other text. The last bracket may be missing, as while it is typed. */
export function readCall(text: string): Call | null {
  const [, name = null, callee, rest = ""] = HEAD.exec(text) ?? [];
  if (callee === undefined || (name !== null && !isName(name))) return null;
  const pieces = split(rest.trim().replace(/\)$/, (end) => (depth(rest) < 0 ? "" : end)));
  const call: Call = { name, callee, positional: [], named: [] };
  for (const piece of pieces) {
    const [, keyword, text = ""] = /^\s*(?:([A-Za-z_]\w*)\s*=(?!=))?\s*(.*?)\s*$/s.exec(piece) ?? [];
    const value = literal(text);
    if (value === undefined) return null;
    if (keyword) call.named.push([keyword, value]);
    else if (call.named.length > 0) return null;
    else call.positional.push(value);
  }
  return call;
}

/** What a call adds; empty where nothing has this name, or does not take these arguments. */
export function called(all: readonly Listed[], query: string, doc: Doc): Listed[] {
  const call = readCall(query);
  if (call === null) return [];
  return all.flatMap((listed) => {
    if (listed.label.toLowerCase() !== call.callee.toLowerCase()) return [];
    const thing = withCall(listed.thing, call, doc);
    return thing ? [{ ...listed, thing, label: labelOf(listed.label, call) }] : [];
  });
}

function withCall(thing: Thing, call: Call, doc: Doc): Thing | null {
  if (thing.kind === "layer") {
    const given = bound(
      thing.entry.parameters.map((it) => ({ name: it.name, keyword: it.keyword })),
      call,
    );
    return given && { ...thing, given, as: call.name };
  }
  if (thing.kind === "block") {
    const given = bound(doc.blocks[thing.name]?.arguments ?? [], call);
    return given && { ...thing, given, as: call.name };
  }
  return null;
}

/** Arguments by name, as Python would bind them; null where it would refuse. */
function bound(parameters: readonly { name: string; keyword?: boolean }[], call: Call): Arguments | null {
  const inOrder = parameters.filter((it) => !it.keyword);
  if (call.positional.length > inOrder.length) return null;
  const given = new Map(call.positional.map((value, index) => [inOrder[index]?.name ?? "", value]));
  for (const [name, value] of call.named) {
    if (given.has(name) || !parameters.some((it) => it.name === name)) return null;
    given.set(name, value);
  }
  return Object.fromEntries(given);
}

const labelOf = (label: string, { name, positional, named }: Call): string => {
  const given = [...positional.map(shown), ...named.map(([key, value]) => `${key}=${shown(value)}`)];
  return `${name ? `${name} = ` : ""}${label}(${given.join(", ")})`;
};

const WORDS = new Map<string, Value>([
  ["True", true],
  ["False", false],
  ["None", null],
]);

/** A number, word, string, tuple or list; undefined for anything else. */
function literal(text: string): Value | undefined {
  if (WORDS.has(text)) return WORDS.get(text);
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(text);
  if (quoted) return quoted[2] ?? "";
  const inner = /^\((.*)\)$|^\[(.*)\]$/s.exec(text);
  if (!inner) return undefined;
  const items = split(inner[1] ?? inner[2] ?? "").map((piece) => literal(piece.trim()));
  if (items.some((item) => item === undefined)) return undefined;
  return inner[1] === undefined ? (items as Value[]) : { $tuple: items as Value[] };
}

function shown(value: Value): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (value === null) return "None";
  if (typeof value === "string") return `"${value}"`;
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  if (typeof value === "object" && "$tuple" in value) return `(${value.$tuple.map(shown).join(", ")})`;
  return String(value);
}

/** Open brackets less closed ones. */
const depth = (text: string): number =>
  [...text].reduce((sum, letter) => sum + Number("([".includes(letter)) - Number(")]".includes(letter)), 0);

/** At commas outside brackets; what follows a last comma is nothing yet. */
function split(text: string): string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const part of text.split(",")) {
    piece = piece ? `${piece},${part}` : part;
    if (depth(piece) > 0) continue;
    pieces.push(piece);
    piece = "";
  }
  if (piece) pieces.push(piece);
  return pieces.at(-1)?.trim() === "" ? pieces.slice(0, -1) : pieces;
}
