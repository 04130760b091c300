/** Which inputs and outputs a node has, from the catalogue, the document and what the last check saw. */
import type { Entry, Result } from "@/api/types";
import { argumentsOf, edges, NEW_OUTPUT } from "./graph";
import { bare, isContainer, resolve } from "./members";
import { outputForm, outputParts } from "./outputs";
import type { Block, Doc, GraphNode, Item, Member, Path, Value } from "./types";
import { refsIn } from "./values";

export type Lookup = (name: string) => Entry | undefined;
export type InPort = { name: string; many: boolean; required: boolean };
/** A part of a result that has no name of its own is called by its place: `0`, `1.0`. */
export type OutPort = { name: string; path: Path };
export type Ports = { inputs: InPort[]; outputs: OutPort[] };

const INPUT: InPort = { name: "input", many: false, required: true };
const WHOLE: OutPort = { name: "output", path: [] };
/** More parts of a result than this are not drawn as ports of their own. */
const MOST_PARTS = 12;

/** What a node calls: its member (behind aliases and repeats), or null for functions. */
export function calledBy(block: Block, node: GraphNode): Member | Item | null {
  if (node.op === "function") return null;
  const member = resolve(block, node.target);
  return member && bare(member);
}

/** The catalogue entry of a node or member, if it has one. */
export function entryOf(block: Block, node: GraphNode, lookup: Lookup): Entry | undefined {
  if (node.op === "function") return lookup(node.target);
  const member = calledBy(block, node);
  return member?.kind === "layer" ? lookup(member.target) : undefined;
}

const outPort = (name: string, path: Path): OutPort => ({ name, path });

function blockOutputs(output: Value): OutPort[] {
  const form = outputForm(output);
  if (form === "single") return [WHOLE];
  return outputParts(output).map(({ name }, index) => outPort(name, [form === "dict" ? name : index]));
}

/** Ports of something that can be called. */
export function memberPorts(doc: Doc, block: Block, member: Member | Item | null, lookup: Lookup): Ports {
  const it = member && bare(member);
  if (it?.kind === "layer") {
    const entry = lookup(it.target);
    if (!entry) return { inputs: [INPUT], outputs: [WHOLE] };
    return { inputs: entry.inputs.map(inPort), outputs: entry.outputs.map((port) => outPort(port.name, port.path)) };
  }
  if (it?.kind === "block") {
    const graph = doc.blocks[it.block]?.forward;
    const inputs = graph?.inputs.map((input) => ({ name: input.name, many: false, required: !input.optional }));
    return { inputs: inputs ?? [INPUT], outputs: graph ? blockOutputs(graph.output) : [WHOLE] };
  }
  if (it?.kind === "alias") return memberPorts(doc, block, resolve(block, it.of), lookup);
  return { inputs: [INPUT], outputs: [WHOLE] };
}
const inPort = (port: Entry["inputs"][number]): InPort => ({
  name: port.name,
  many: port.many,
  required: port.required,
});

/** The first item of a container, whose inputs are those of a loop or choice over it. */
function firstItem(member: Member | Item | null): Item | null {
  return isContainer(member) ? (member.items[0] ?? null) : null;
}

function declared(doc: Doc, block: Block, node: GraphNode, lookup: Lookup): Ports {
  if (node.op === "get") return { inputs: [], outputs: [WHOLE] };
  if (node.op === "function") {
    const entry = lookup(node.target);
    const outputs = entry?.outputs.map((port) => outPort(port.name, port.path)) ?? [];
    return { inputs: entry?.inputs.map(inPort) ?? [], outputs: outputs.length > 0 ? outputs : [WHOLE] };
  }
  const member = calledBy(block, node);
  if (node.op === "call") return memberPorts(doc, block, member, lookup);
  const item = memberPorts(doc, block, firstItem(member), lookup);
  // The value that a loop carries is its `input`, whatever the items call it.
  if (node.op === "loop") return { inputs: [INPUT, ...item.inputs.slice(1)], outputs: [WHOLE] };
  const keys = node.key === null && isContainer(member) ? member.items.map((_, index) => index) : [];
  const names = isContainer(member) ? keys.map((index) => bare(member.items[index] as Item).name) : [];
  return { inputs: item.inputs, outputs: names.length ? names.map((name) => outPort(name, [name])) : [WHOLE] };
}

/** Parts of a result that is a list, tuple or dict. */
function parts(result: Result | null | undefined): OutPort[] {
  if (Array.isArray(result))
    return result.length > MOST_PARTS ? [] : result.map((_, index) => outPort(String(index), [index]));
  if (!result || typeof result !== "object" || isTensor(result) || isOther(result)) return [];
  const keys = Object.keys(result);
  return keys.length > MOST_PARTS ? [] : keys.map((key) => outPort(key, [key]));
}

const key = (path: Path): string => JSON.stringify(path);

/** Ports of a node: those that are declared, the arguments that take references, and the parts that others use. */
export function portsOf(
  doc: Doc,
  block: Block,
  node: GraphNode,
  lookup: Lookup,
  used: readonly Path[],
  result?: Result | null,
): Ports {
  const { inputs, outputs } = declared(doc, block, node, lookup);
  const args = argumentsOf(node);
  const known = new Set(inputs.map((port) => port.name));
  // A port whose value is written down (an index, a number to add) waits for no connection.
  const written = (name: string) => args[name] !== undefined && refsIn(args[name]).length === 0;
  const extra = Object.entries(args).flatMap(([name, value]) =>
    !known.has(name) && refsIn(value).length > 0 ? [{ name, many: Array.isArray(value), required: false }] : [],
  );
  // A declared whole gives way to its parts, where the check saw that it has some (`torch.chunk`).
  const seen = outputs.length === 1 && outputs[0]?.path.length === 0 ? parts(result) : [];
  const all = [...(seen.length > 0 && !used.some((path) => path.length === 0) ? [] : outputs), ...seen];
  const paths = new Set(all.map((port) => key(port.path)));
  for (const path of used)
    if (!paths.has(key(path))) {
      paths.add(key(path));
      all.push(outPort(path.length ? path.join(".") : "output", path));
    }
  const own = inputs.map((port) => (written(port.name) && !port.many ? { ...port, required: false } : port));
  return { inputs: [...own, ...extra], outputs: all };
}

/** Parts of each node's result that some edge starts from. */
export function usedPaths(block: Block): Map<string, Path[]> {
  const found = new Map<string, Path[]>();
  for (const edge of edges(block.forward)) {
    const paths = found.get(edge.source) ?? [];
    if (!paths.some((path) => key(path) === key(edge.path))) paths.push(edge.path);
    found.set(edge.source, paths);
  }
  return found;
}

/** Ports of the output node, and one more for a further output. */
export function outputInPorts(output: Value): InPort[] {
  const names = outputParts(output).map((part) => part.name);
  const more = output === null ? [] : [NEW_OUTPUT];
  return [...names, ...more].map((name) => ({ name, many: false, required: name !== NEW_OUTPUT }));
}

export function isTensor(result: unknown): result is Extract<Result, { shape: unknown }> {
  return typeof result === "object" && result !== null && "shape" in result && Array.isArray(result.shape);
}
function isOther(result: unknown): boolean {
  return typeof result === "object" && result !== null && "text" in result && typeof result.text === "string";
}

/** The part of a result that a path selects. */
export function partAt(result: Result | null | undefined, path: Path): Result | null {
  let found: unknown = result ?? null;
  for (const step of path) {
    if (typeof found !== "object" || found === null) return null;
    found = (found as Record<string | number, unknown>)[step] ?? null;
  }
  return found as Result | null;
}
