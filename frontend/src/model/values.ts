/** Walking and rewriting values of the document's tagged grammar. */
import type { Path, Ref, Value } from "./types";

/** One of two values by an expression. */
export type If = Extract<Value, { $if: string }>;

export const ref = (id: string, path: Path = []): Ref => ({ $ref: id, path });

export const choice = (test: string, then: Value, otherwise: Value): If => ({
  $if: test,
  then,
  else: otherwise,
});

export function isRef(value: Value | undefined): value is Ref {
  return typeof value === "object" && value !== null && "$ref" in value;
}

export function isAuto(value: Value | undefined): boolean {
  return typeof value === "object" && value !== null && "$auto" in value;
}

export function isIf(value: Value | undefined): value is If {
  return typeof value === "object" && value !== null && "$if" in value;
}

/** The values directly inside a value, each under the key that leads to it. */
function children(value: Value): [number | string, Value][] {
  if (value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if ("$tuple" in value) return value.$tuple.map((item, index) => [index, item]);
  if ("$slice" in value) return value.$slice.map((item, index) => [index, item]);
  if ("$dict" in value) return Object.entries(value.$dict);
  if ("$layer" in value) return Object.entries(value.$layer.arguments);
  if ("$if" in value)
    return [
      ["then", value.then],
      ["else", value.else],
    ];
  return [];
}

/** Every reference inside a value, and where it stands. */
export function refsIn(value: Value, at: Path = []): { ref: Ref; at: Path }[] {
  if (isRef(value)) return [{ ref: value, at }];
  return children(value).flatMap(([key, child]) => refsIn(child, [...at, key]));
}

/** The part of a value that stands at a place; undefined where there is none. */
export function valueAt(value: Value, at: Path): Value | undefined {
  const [key, ...rest] = at;
  if (key === undefined) return value;
  const child = children(value).find(([name]) => name === key);
  return child && valueAt(child[1], rest);
}

/** A place in a value as whoever takes the result writes it: which of two values it is depends on no path. */
export function resultPath(value: Value, at: Path): Path {
  const [key, ...rest] = at;
  if (key === undefined) return [];
  const child = children(value).find(([name]) => name === key);
  const inner = child ? resultPath(child[1], rest) : rest;
  return isIf(value) ? inner : [key, ...inner];
}

type ChangeChild = (value: Value, key: number | string) => Value | undefined;

/**
 * A value with each of those directly inside it replaced; `undefined` takes one out of its list, tuple or dict. A slice
 * keeps its three places and gets None; of two values by a condition the other one is left, whatever holds.
 */
function mapChildren(value: Value, change: ChangeChild): Value | undefined {
  if (value === null || typeof value !== "object") return value;
  const list = (items: Value[]) => items.map(change).filter((item) => item !== undefined);
  if (Array.isArray(value)) return list(value);
  if ("$tuple" in value) return { $tuple: list(value.$tuple) };
  if ("$slice" in value) return { $slice: value.$slice.map((item, index) => change(item, index) ?? null) };
  if ("$dict" in value) return { $dict: mapEntries(value.$dict, change) };
  if ("$layer" in value) return { $layer: { ...value.$layer, arguments: mapEntries(value.$layer.arguments, change) } };
  if ("$if" in value) return either(value, change(value.then, "then"), change(value.else, "else"));
  return value;
}

const mapEntries = (record: { [key: string]: Value }, change: ChangeChild) => {
  const out: { [key: string]: Value } = {};
  for (const [key, item] of Object.entries(record)) {
    const next = change(item, key);
    if (next !== undefined) out[key] = next;
  }
  return out;
};

/** Two values by a condition. One that is gone leaves the other, if that is any; two that have become equal are one. */
function either(before: If, yes: Value | undefined, no: Value | undefined): Value | undefined {
  if (yes === undefined || no === undefined) return yes ?? no ?? undefined;
  const merged = same(yes, no) && !same(before.then, before.else);
  return merged ? yes : choice(before.$if, yes, no);
}

/**
 * A value with each reference replaced by what `change` gives; `undefined` takes the reference out, as `mapChildren`
 * says, or leaves None in its place where places count. The same object comes back when it holds no reference.
 */
export function mapRefs(value: Value, change: (ref: Ref) => Value | undefined, keepPlaces = false): Value | undefined {
  if (isRef(value)) return change(value);
  if (refsIn(value).length === 0) return value;
  return mapChildren(value, (item) => left(value, mapRefs(item, change, keepPlaces), keepPlaces));
}

/** What is left inside a value in the place of something that may be gone. */
const left = (value: Value, item: Value | undefined, keepPlaces: boolean): Value | undefined =>
  item === undefined && keepPlaces && !isIf(value) ? null : item;

/** A value without the part that stands at a place, or with None there where places count; `undefined` when that is the whole. */
export function without(value: Value, at: Path, keepPlaces = false): Value | undefined {
  const [key, ...rest] = at;
  if (key === undefined) return undefined;
  return mapChildren(value, (item, name) =>
    name === key ? left(value, without(item, rest, keepPlaces), keepPlaces) : item,
  );
}

/** A value with another one at a place, so that its neighbours keep theirs. */
export function replaced(value: Value, at: Path, by: Value): Value {
  const [key, ...rest] = at;
  if (key === undefined) return by;
  const put = (item: Value, name: number | string) => (name === key ? replaced(item, rest, by) : item);
  // Somebody who gives both cases the same value has not yet said the other one.
  if (isIf(value)) return choice(value.$if, put(value.then, "then"), put(value.else, "else"));
  return mapChildren(value, put) ?? null;
}

/** A value with each reference replaced by what `change` gives, who is told which conditions hold where it is read. */
export function mapHolding(
  value: Value,
  holding: ReadonlySet<string>,
  change: (ref: Ref, holding: ReadonlySet<string>) => Value,
): Value {
  if (isRef(value)) return change(value, holding);
  if (!isIf(value)) return mapChildren(value, (item) => mapHolding(item, holding, change)) ?? null;
  const inside = (item: Value, test: string) => mapHolding(item, new Set([...holding, test]), change);
  return choice(value.$if, inside(value.then, value.$if), inside(value.else, negated(value.$if)));
}

/** A value in which the choices are made that conditions settle which hold where it is read. */
export function settled(value: Value, holding: ReadonlySet<string>): Value {
  if (!isIf(value)) return mapChildren(value, (item) => settled(item, holding)) ?? null;
  const not = negated(value.$if);
  if (holding.has(value.$if)) return settled(value.then, holding);
  if (holding.has(not)) return settled(value.else, holding);
  const inside = (item: Value, test: string) => settled(item, new Set([...holding, test]));
  return choice(value.$if, inside(value.then, value.$if), inside(value.else, not));
}

/** The expression that holds where another one does not, as the service writes it. */
export const negated = (test: string): string => (test.startsWith("not ") ? test.slice(4) : `not ${test}`);

/** Deep equality of plain JSON, blind to the order of keys. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const a = Object.entries(left);
  const b = right as Record<string, unknown>;
  return a.length === Object.keys(b).length && a.every(([key, item]) => key in b && same(item, b[key]));
}
