/** Names inside expressions such as `2 * width` or `zip(widths, widths[1:])`. What they mean is for the service to say. */
import type { Value } from "./types";

/** Strings, which hold no names; then names, each not behind a dot and not a keyword of a call. */
const TOKENS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<![\w.])[A-Za-z_]\w*(?!\w|\s*=(?!=))/g;

export function renameIn(text: string, from: string, to: string): string {
  return text.replace(TOKENS, (token) => (token === from ? to : token));
}

export const mentions = (text: string, name: string): boolean => renameIn(text, name, `${name}_`) !== text;

type Json = { [key: string]: unknown };
const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Any part of a document with its expressions changed, where a name means what it means outside: the variables of a
 * repeat hide names of theirs from its item. The same object comes back when nothing changed.
 */
export function mapExpressions<T>(part: T, name: string, change: Change): T {
  return visit(part, name, change, false) as T;
}

/** Another expression for one, or a value in its place. */
type Change = (text: string) => string | { value: Value };

/** What `change` makes of an expression where only a text can stand: a condition. */
function condition(text: string, change: Change): string {
  const next = change(text);
  return typeof next === "string" ? next : literal(next.value);
}

/** Keys under which conditions stand: of a node or member, and of a value that is one of two. */
const isCondition = (part: Json, key: string): boolean =>
  key === "$if" || (key === "when" && ("op" in part || "kind" in part));

/** A value as an expression writes it. */
export function literal(value: Value): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null && "$expr" in value) return value.$expr;
  if (typeof value === "object" && value !== null && "$tuple" in value)
    return `[${value.$tuple.map(literal).join(", ")}]`;
  return "None";
}

function visit(part: unknown, name: string, change: Change, keyed: boolean): unknown {
  if (Array.isArray(part)) {
    const items = part.map((item) => visit(item, name, change, keyed));
    return items.some((item, index) => item !== part[index]) ? items : part;
  }
  if (!isJson(part)) return part;
  if (typeof part.$expr === "string") {
    const next = change(part.$expr);
    if (typeof next !== "string") return next.value;
    return next === part.$expr ? part : { $expr: next };
  }
  const hidden = part.kind === "repeat" && Array.isArray(part.variables) && part.variables.includes(name);
  const isDict = part.kind === "module_dict" || part.kind === "parameter_dict";
  let next = part;
  for (const [key, value] of Object.entries(part)) {
    if (key === "item" && hidden) continue;
    const named = keyed && key === "item" && part.kind === "repeat" ? renamedKey(value, change) : value;
    const changed =
      typeof value === "string" && isCondition(part, key)
        ? condition(value, change)
        : visit(named, name, change, isDict);
    if (changed !== value) next = { ...next, [key]: changed };
  }
  return next;
}

/** The key of a repeated item of a dict is an expression, too. */
function renamedKey(item: unknown, change: Change): unknown {
  if (!isJson(item) || typeof item.name !== "string") return item;
  const name = change(item.name);
  return typeof name !== "string" || name === item.name ? item : { ...item, name };
}
