/** What a block's `forward` returns: one value, or a tuple, list or dict of them. Callers follow when its form changes. */
import { changeGraph, OUTPUT } from "./graph";
import { unique } from "./names";
import type { Doc, Path, Value } from "./types";
import { changeResults } from "./uses";

export type OutputForm = "single" | "tuple" | "list" | "dict";
/** An output under its place or key. */
export type Part = { name: string; value: Value };

export function outputForm(output: Value): OutputForm {
  if (typeof output !== "object" || output === null) return "single";
  if (Array.isArray(output)) return "list";
  return "$tuple" in output ? "tuple" : "$dict" in output ? "dict" : "single";
}

/** The outputs one by one: a single one is called `output`, and those of a tuple by their place. */
export function outputParts(output: Value): Part[] {
  if (Array.isArray(output)) return output.map((value, index) => ({ name: String(index), value }));
  if (typeof output === "object" && output !== null) {
    if ("$tuple" in output) return outputParts(output.$tuple);
    if ("$dict" in output) return Object.entries(output.$dict).map(([name, value]) => ({ name, value }));
  }
  return [{ name: OUTPUT, value: output }];
}

function shaped(form: OutputForm, parts: readonly Part[]): Value {
  const values = parts.map((part) => part.value);
  if (form === "tuple") return { $tuple: values };
  if (form === "list") return values;
  if (form === "dict") return { $dict: Object.fromEntries(parts.map((part) => [part.name, part.value])) };
  return values[0] ?? null;
}

/** An output with the value of one port exchanged. */
export const setPart = (output: Value, port: string, value: Value): Value =>
  shaped(
    outputForm(output),
    outputParts(output).map((part) => (part.name === port ? { ...part, value } : part)),
  );

/** An output, and the place of the one that it was. */
type Next = Part & { from: number | null };

/** How an output is reached from the call's result. */
const keyOf = (form: OutputForm, part: Part, index: number): Path =>
  form === "single" ? [] : [form === "dict" ? part.name : index];

/** Gives `forward` other outputs; what callers take of them goes on being the same values. */
function reshape(doc: Doc, block: string, form: OutputForm, parts: readonly Next[]): Doc {
  const old = formOf(doc, block);
  const before = partsOf(doc, block).map((part, index) => keyOf(old, part, index)[0]);
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
const partsOf = (doc: Doc, block: string): Part[] => outputParts(doc.blocks[block]?.forward.output ?? null);
const formOf = (doc: Doc, block: string): OutputForm => outputForm(doc.blocks[block]?.forward.output ?? null);

/** The output that a single value keeps: the first that is connected. */
function firstConnected(parts: readonly Part[]): Next[] {
  const all = kept(parts);
  return [all.find((part) => part.value !== null) ?? all[0]].filter((part) => part !== undefined);
}

/** Connections that are lost when one value is returned in place of several. */
export const lostBySingle = (output: Value): number =>
  Math.max(0, outputParts(output).filter((part) => part.value !== null).length - 1);

/** Returns the outputs in another form. Numbers make no good keys, so a dict's first keys are `output1`, `output2`… */
export function setOutputForm(doc: Doc, block: string, form: OutputForm): Doc {
  if (form === formOf(doc, block)) return doc;
  const parts = partsOf(doc, block);
  const taken = new Set<string>();
  const named = (form === "single" ? firstConnected(parts) : kept(parts)).map((part, index) => {
    const name = form !== "dict" ? part.name : unique(`output${index + 1}`, taken);
    taken.add(name);
    return { ...part, name };
  });
  return reshape(doc, block, form, named);
}

export const removeOutput = (doc: Doc, block: string, index: number): Doc =>
  reshape(
    doc,
    block,
    formOf(doc, block),
    kept(partsOf(doc, block)).filter((_, at) => at !== index),
  );

export const renameOutput = (doc: Doc, block: string, from: string, to: string): Doc =>
  reshape(
    doc,
    block,
    formOf(doc, block),
    kept(partsOf(doc, block)).map((part) => (part.name === from ? { ...part, name: to } : part)),
  );

/** One more output, under a key of its own in a dict; a single one becomes the first of a tuple. */
export function addOutput(doc: Doc, block: string, value: Value): Doc {
  const parts = partsOf(doc, block);
  const form = formOf(doc, block);
  if (form === "single" && parts[0]?.value === null)
    return reshape(
      doc,
      block,
      form,
      kept(parts).map((part) => ({ ...part, value })),
    );
  const name = unique("output", new Set(parts.map((part) => part.name)));
  return reshape(doc, block, form === "single" ? "tuple" : form, [...kept(parts), { name, value, from: null }]);
}
