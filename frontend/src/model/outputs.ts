/** What a block's `forward` returns: one value, or a tuple, list or dict of them. Callers follow when its form changes. */
import { changeGraph, OUTPUT } from "./graph";
import { unique } from "./names";
import type { Doc, Path, Value } from "./types";
import { changeResults } from "./uses";
import { isIf, replaced, valueAt } from "./values";

export type OutputForm = "single" | "tuple" | "list" | "dict";
/** An output under its place or key, and where it stands in what is returned. */
export type Part = { name: string; value: Value; at: Path };

export function outputForm(output: Value): OutputForm {
  if (typeof output !== "object" || output === null) return "single";
  if (Array.isArray(output)) return "list";
  return "$tuple" in output ? "tuple" : "$dict" in output ? "dict" : "single";
}

/**
 * The outputs one by one: a single one is called `output`, and those of a tuple by their place. Where `forward` returns
 * one of two values, the outputs of both are there, behind `then` and `else`: `then/0`, `else/output`.
 */
export function outputParts(output: Value): Part[] {
  if (Array.isArray(output)) return output.map((value, index) => ({ name: String(index), value, at: [index] }));
  if (typeof output === "object" && output !== null) {
    if ("$tuple" in output) return outputParts(output.$tuple);
    if ("$dict" in output) return Object.entries(output.$dict).map(([name, value]) => ({ name, value, at: [name] }));
    if (isIf(output)) return (["then", "else"] as const).flatMap((branch) => partsIn(output[branch], branch));
  }
  return [{ name: OUTPUT, value: output, at: [] }];
}
const partsIn = (value: Value, branch: string): Part[] =>
  outputParts(value).map((part) => ({ ...part, name: `${branch}/${part.name}`, at: [branch, ...part.at] }));

function shaped(form: OutputForm, parts: readonly Pick<Part, "name" | "value">[]): Value {
  const values = parts.map((part) => part.value);
  if (form === "tuple") return { $tuple: values };
  if (form === "list") return values;
  if (form === "dict") return { $dict: Object.fromEntries(parts.map((part) => [part.name, part.value])) };
  return values[0] ?? null;
}

/** An output with the value of one port exchanged. */
export function setPart(output: Value, port: string, value: Value): Value {
  const part = outputParts(output).find((it) => it.name === port);
  return part ? replaced(output, part.at, value) : output;
}

/** The part of an output in which a place lies. */
export const partOver = (output: Value, at: Path): Part | undefined =>
  outputParts(output).find((part) => part.at.every((step, index) => step === at[index]));

/** An output, and the place of the one that it was. */
type Next = Pick<Part, "name" | "value"> & { from: number | null };

/** How an output is reached from the call's result. */
const keyOf = (form: OutputForm, part: Pick<Part, "name">, index: number): Path =>
  form === "single" ? [] : [form === "dict" ? part.name : index];

/**
 * Gives `forward` other outputs; what callers take of them goes on being the same values. Inside one of two values by a
 * condition (`at`) only that changes: callers take parts of both by the same paths.
 */
function reshape(doc: Doc, block: string, form: OutputForm, parts: readonly Next[], at: Path): Doc {
  if (at.length > 0)
    return changeGraph(doc, block, (graph) => ({ ...graph, output: replaced(graph.output, at, shaped(form, parts)) }));
  const old = formOf(doc, block, at);
  const before = partsOf(doc, block, at).map((part, index) => keyOf(old, part, index)[0]);
  const places = new Map<number | string | undefined, Path>();
  for (const [index, part] of parts.entries())
    if (part.from !== null) places.set(before[part.from], keyOf(form, part, index));
  const changed = changeGraph(doc, block, (graph) => ({ ...graph, output: shaped(form, parts) }));
  return changeResults(changed, block, (path) => {
    // A single output is the result itself, so that every path leads into it.
    if (old === "single") return [...(places.get(undefined) ?? []), ...path];
    const [head, ...rest] = path;
    if (head === undefined) return path;
    const to = places.get(head);
    return to ? [...to, ...rest] : null;
  });
}

const kept = (parts: readonly Part[]): Next[] => parts.map((part, from) => ({ ...part, from }));
const outputAt = (doc: Doc, block: string, at: Path): Value =>
  valueAt(doc.blocks[block]?.forward.output ?? null, at) ?? null;
const partsOf = (doc: Doc, block: string, at: Path): Part[] => outputParts(outputAt(doc, block, at));
const formOf = (doc: Doc, block: string, at: Path): OutputForm => outputForm(outputAt(doc, block, at));

/** The output that a single value keeps: the first that is connected. */
function firstConnected(parts: readonly Part[]): Next[] {
  const all = kept(parts);
  return [all.find((part) => part.value !== null) ?? all[0]].filter((part) => part !== undefined);
}

/** Connections that are lost when one value is returned in place of several. */
export const lostBySingle = (output: Value): number =>
  Math.max(0, outputParts(output).filter((part) => part.value !== null).length - 1);

/** Returns the outputs in another form. Numbers make no good keys, so a dict's first keys are `output1`, `output2`… */
export function setOutputForm(doc: Doc, block: string, form: OutputForm, at: Path = []): Doc {
  if (form === formOf(doc, block, at)) return doc;
  const parts = partsOf(doc, block, at);
  const taken = new Set<string>();
  const named = (form === "single" ? firstConnected(parts) : kept(parts)).map((part, index) => {
    const name = form !== "dict" ? part.name : unique(`output${index + 1}`, taken);
    taken.add(name);
    return { ...part, name };
  });
  return reshape(doc, block, form, named, at);
}

export const removeOutput = (doc: Doc, block: string, index: number, at: Path = []): Doc =>
  reshape(
    doc,
    block,
    formOf(doc, block, at),
    kept(partsOf(doc, block, at)).filter((_, place) => place !== index),
    at,
  );

export const renameOutput = (doc: Doc, block: string, from: string, to: string, at: Path = []): Doc =>
  reshape(
    doc,
    block,
    formOf(doc, block, at),
    kept(partsOf(doc, block, at)).map((part) => (part.name === from ? { ...part, name: to } : part)),
    at,
  );

/** One more output, under a key of its own in a dict; a single one becomes the first of a tuple. */
export function addOutput(doc: Doc, block: string, value: Value, at: Path = []): Doc {
  const parts = partsOf(doc, block, at);
  const form = formOf(doc, block, at);
  if (form === "single" && parts[0]?.value === null)
    return reshape(
      doc,
      block,
      form,
      kept(parts).map((part) => ({ ...part, value })),
      at,
    );
  const name = unique("output", new Set(parts.map((part) => part.name)));
  return reshape(doc, block, form === "single" ? "tuple" : form, [...kept(parts), { name, value, from: null }], at);
}
