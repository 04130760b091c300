import type { Kind, ParameterSpec, Value } from "@/api/types";
import { TRAINING } from "@/model/cases";
import { choice, isIf } from "@/model/values";

/** What a field edits at the moment: one of the parameter's kinds, or one of the values that every kind may have. */
export type Mode = Kind | "auto" | "none" | "expression" | "cases";

const ONE_LINE: readonly Kind[] = ["str", "list", "function", "layer", "tensor", "any"];

/** The modes a parameter offers, preferred first. */
export function modesOf(spec: ParameterSpec, expressions: boolean, cases = false): Mode[] {
  const modes: Mode[] = [...spec.kinds];
  if (spec.auto) modes.unshift("auto");
  if (spec.nullable) modes.push("none");
  if (expressions) modes.push("expression");
  if (cases) modes.push("cases");
  return modes;
}

/** The mode that shows a value. */
export function modeOf(spec: ParameterSpec, value: Value | undefined): Mode {
  const shown = value === undefined ? spec.default : value;
  const [preferred = "any"] = spec.kinds;
  if (isIf(shown)) return "cases";
  if (shown === null) return spec.nullable ? "none" : preferred;
  if (typeof shown === "object" && "$auto" in shown) return "auto";
  if (typeof shown === "object" && "$expr" in shown) return "expression";
  return spec.kinds.find((kind) => accepts(kind, shown, spec)) ?? textual(spec) ?? "any";
}

/** Whether a mode that was chosen by hand still shows the value. */
export function shows(mode: Mode, spec: ParameterSpec, value: Value | undefined): boolean {
  // Some modes begin with no value of their own.
  if (value === undefined && firstValue(spec, mode) === undefined) return true;
  const shown = value === undefined ? spec.default : value;
  if (mode === "cases" || isIf(shown)) return mode === "cases" && isIf(shown);
  if (mode === "none") return shown === null;
  if (mode === "auto") return isTagged(shown) && "$auto" in shown;
  if (mode === "expression") return isTagged(shown) && "$expr" in shown;
  return accepts(mode, shown, spec);
}

function textual(spec: ParameterSpec): Kind | undefined {
  return spec.kinds.find((kind) => ONE_LINE.includes(kind));
}

function accepts(kind: Kind, value: Value, spec: ParameterSpec): boolean {
  switch (kind) {
    case "int":
      return Number.isInteger(value);
    case "float":
      return typeof value === "number" || (isTagged(value) && "$float" in value);
    case "bool":
      return typeof value === "boolean";
    case "choice":
      return spec.choices.some((choice) => same(choice, value));
    case "size":
      return Number.isInteger(value) || Array.isArray(tupleItems(value));
    case "dtype":
      return isTagged(value) && "$dtype" in value;
    case "str":
      return typeof value === "string";
    case "list":
      return Array.isArray(value) || Array.isArray(tupleItems(value));
    case "function":
      return isTagged(value) && "$function" in value;
    case "layer":
      return isTagged(value) && "$layer" in value;
    case "tensor":
      return isTagged(value) && "$ref" in value;
    case "any":
      return true;
  }
}

function isTagged(value: Value): value is Exclude<Value, null | boolean | number | string | Value[]> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The numbers of a tuple or a list. */
export function tupleItems(value: Value | undefined): Value[] | undefined {
  if (Array.isArray(value)) return value;
  if (value !== undefined && value !== null && typeof value === "object" && "$tuple" in value) return value.$tuple;
  return undefined;
}

/** Equal as JSON. */
export function same(a: Value | undefined, b: Value | undefined): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** Whether a value says something else than the default does. */
export function isChanged(spec: ParameterSpec, value: Value | undefined): boolean {
  return value !== undefined && !spec.required && !same(value, spec.default);
}

/** What the check found for an automatic size. */
export type Resolved = number | number[] | undefined;

/** The value with which a mode begins that was just chosen: what was there before goes on holding where it can. */
export function nextValue(
  spec: ParameterSpec,
  mode: Mode,
  value: Value | undefined,
  resolved?: Resolved,
): Value | undefined {
  const before = value === undefined ? spec.default : value;
  if (mode === "cases") return isIf(before) ? before : choice(TRAINING, before, before);
  if (isIf(before)) {
    const kept = [before.else, before.then].find((it) => shows(mode, spec, it));
    if (kept !== undefined) return kept;
  }
  if (modeOf(spec, value) === "auto" && mode !== "auto" && resolved !== undefined) {
    const found = Array.isArray(resolved) ? { $tuple: resolved } : resolved;
    if (shows(mode, spec, found)) return found;
  }
  return firstValue(spec, mode);
}

/** The first value of a mode. */
export function firstValue(spec: ParameterSpec, mode: Mode): Value | undefined {
  switch (mode) {
    case "auto":
      return { $auto: true };
    case "none":
      return null;
    case "expression":
      return { $expr: "" };
    case "choice":
      return spec.choices[0];
    case "bool":
      return true;
    case "dtype":
      return { $dtype: "float32" };
    case "int":
    case "float":
    case "size":
      return Math.max(1, spec.minimum ?? 1);
    case "str":
      return "";
    case "list":
      return [];
    case "function":
    case "layer":
    case "tensor":
    case "any":
    case "cases":
      return undefined;
  }
}

export const DTYPES = [
  "float32",
  "float64",
  "float16",
  "bfloat16",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "bool",
  "complex64",
  "complex128",
];
