/** Walking and rewriting values of the document's tagged grammar. */
import type { Path, Ref, Value } from "./types";

export const ref = (id: string, path: Path = []): Ref => ({ $ref: id, path });

export function isRef(value: Value | undefined): value is Ref {
  return typeof value === "object" && value !== null && "$ref" in value;
}

export function isAuto(value: Value | undefined): boolean {
  return typeof value === "object" && value !== null && "$auto" in value;
}

/** The values directly inside a value, each under the key that leads to it. */
function children(value: Value): [number | string, Value][] {
  if (value === null || typeof value !== "object") return [];
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if ("$tuple" in value) return value.$tuple.map((item, index) => [index, item]);
  if ("$slice" in value) return value.$slice.map((item, index) => [index, item]);
  if ("$dict" in value) return Object.entries(value.$dict);
  if ("$layer" in value) return Object.entries(value.$layer.arguments);
  return [];
}

/** Every reference inside a value, and where it stands. */
export function refsIn(value: Value, at: Path = []): { ref: Ref; at: Path }[] {
  if (isRef(value)) return [{ ref: value, at }];
  return children(value).flatMap(([key, child]) => refsIn(child, [...at, key]));
}

const mapEntries = (record: { [key: string]: Value }, change: (value: Value) => Value | undefined) => {
  const out: { [key: string]: Value } = {};
  for (const [key, item] of Object.entries(record)) {
    const next = change(item);
    if (next !== undefined) out[key] = next;
  }
  return out;
};

/**
 * A value with each reference replaced by what `change` gives; `undefined` takes the reference out of its list,
 * tuple or dict (a slice keeps its three places and gets None). The same object comes back when nothing changed.
 */
export function mapRefs(value: Value, change: (ref: Ref) => Value | undefined): Value | undefined {
  if (value === null || typeof value !== "object") return value;
  if (isRef(value)) return change(value);
  if (refsIn(value).length === 0) return value;
  const list = (items: Value[]) => items.map((item) => mapRefs(item, change)).filter((item) => item !== undefined);
  if (Array.isArray(value)) return list(value);
  if ("$tuple" in value) return { $tuple: list(value.$tuple) };
  if ("$slice" in value) return { $slice: value.$slice.map((item) => mapRefs(item, change) ?? null) };
  if ("$dict" in value) return { $dict: mapEntries(value.$dict, (item) => mapRefs(item, change)) };
  if ("$layer" in value)
    return {
      $layer: {
        target: value.$layer.target,
        arguments: mapEntries(value.$layer.arguments, (item) => mapRefs(item, change)),
      },
    };
  return value;
}

/** A value without the part that stands at a place; `undefined` when that is the whole. */
export function without(value: Value, at: Path): Value | undefined {
  const [key, ...rest] = at;
  if (key === undefined) return undefined;
  const child = children(value).find(([name]) => name === key);
  if (child === undefined) return value;
  const next = without(child[1], rest);
  const list = (items: Value[]) =>
    items.flatMap((item, index) => (index === key ? (next === undefined ? [] : [next]) : [item]));
  if (Array.isArray(value)) return list(value);
  if (value === null || typeof value !== "object") return value;
  if ("$tuple" in value) return { $tuple: list(value.$tuple) };
  if ("$slice" in value) return { $slice: value.$slice.map((item, index) => (index === key ? (next ?? null) : item)) };
  if ("$dict" in value) {
    const { [String(key)]: _, ...others } = value.$dict;
    return { $dict: next === undefined ? others : { ...value.$dict, [String(key)]: next } };
  }
  return value;
}

/** A value with another one at a place, so that its neighbours keep theirs. */
export function replaced(value: Value, at: Path, by: Value): Value {
  const [key, ...rest] = at;
  if (key === undefined) return by;
  if (value === null || typeof value !== "object") return value;
  const put = (items: Value[]) => items.map((item, index) => (index === key ? replaced(item, rest, by) : item));
  if (Array.isArray(value)) return put(value);
  if ("$tuple" in value) return { $tuple: put(value.$tuple) };
  if ("$slice" in value) return { $slice: put(value.$slice) };
  if (!("$dict" in value) || !(key in value.$dict)) return value;
  return { $dict: { ...value.$dict, [key]: replaced(value.$dict[key] ?? null, rest, by) } };
}

/** Deep equality of plain JSON, blind to the order of keys. */
export function same(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const a = Object.entries(left);
  const b = right as Record<string, unknown>;
  return a.length === Object.keys(b).length && a.every(([key, item]) => key in b && same(item, b[key]));
}
