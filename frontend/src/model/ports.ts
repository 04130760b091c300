/** Which inputs and outputs a node has, from the catalogue, the document and what the last check saw. */
import type { Entry, Result } from "@/api/types";
import { casePort, casesOf } from "./cases";
import { argumentsOf, type Edge, edges, NEW_OUTPUT, OUTPUT } from "./graph";
import { bare, isContainer, resolve } from "./members";
import { outputForm, outputParts, partOver } from "./outputs";
import type { Arguments, Block, Doc, Graph, GraphNode, Item, Member, Path, Value } from "./types";
import { isIf, refsIn, resultPath, valueAt } from "./values";

export type Lookup = (name: string) => Entry | undefined;
export type InPort = {
  name: string;
  many: boolean;
  required: boolean;
  /** One case of an argument or output that is one of two values: what that is called, and the condition that holds. */
  on?: { port: string; test: string; otherwise: boolean };
};
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
  if (isIf(output)) return commonOutputs(output.then, output.else);
  const form = outputForm(output);
  if (form === "single") return [WHOLE];
  return outputParts(output).map(({ name }, index) => outPort(name, [form === "dict" ? name : index]));
}

/** What can be taken of one of two results, whichever it is: some of it is there under the condition only. */
function commonOutputs(then: Value, otherwise: Value): OutPort[] {
  const all = [...blockOutputs(otherwise), ...blockOutputs(then)];
  return all.filter((port, index) => all.findIndex((it) => key(it.path) === key(port.path)) === index);
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
  if (it?.kind === "opaque") {
    const inputs = it.inputs.map(({ name, keyword }) => ({ name, many: false, required: !keyword }));
    return { inputs: inputs.length > 0 ? inputs : [INPUT], outputs: [WHOLE] };
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
  return { inputs: [...own, ...extra].flatMap((port) => casesOfPort(port, args)), outputs: all };
}

/** A port for each case of an argument that is one of two values, so that each is connected by itself. */
function casesOfPort(port: InPort, args: Arguments): InPort[] {
  const value = args[port.name];
  const cases = casesOf(value);
  if (value === undefined || cases.length === 0) return [port];
  return cases.map(({ at, holds, otherwise }) => ({
    name: casePort(port.name, at),
    many: port.many,
    required: port.required && (valueAt(value, at) ?? null) === null,
    on: { port: port.name, test: holds, otherwise },
  }));
}

/** The port of a target into which a connection leads. */
export function portOf(graph: Graph, edge: Edge): string {
  if (edge.target === OUTPUT) return partOver(graph.output, edge.at)?.name ?? OUTPUT;
  const [name = "", ...at] = edge.at;
  const within = casesOf(argumentOf(graph, edge)).find((it) => it.at.every((step, index) => step === at[index]));
  return casePort(String(name), within?.at ?? []);
}

function argumentOf(graph: Graph, edge: Edge): Value {
  if (edge.target === OUTPUT) return graph.output;
  const node = graph.nodes.find((it) => it.id === edge.target);
  return (node && argumentsOf(node)[String(edge.at[0])]) ?? null;
}

/** Whether nothing flows through a connection at times: it is read in one case only, or an end of it runs so. */
export function isConditional(graph: Graph, edge: Edge, running: ReadonlySet<string>): boolean {
  if (running.has(edge.source) || running.has(edge.target)) return true;
  const at = edge.target === OUTPUT ? edge.at : edge.at.slice(1);
  return resultPath(argumentOf(graph, edge), at).length < at.length;
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

/** Ports of the output node, and one more for a further output, where it is clear when that is returned. */
export function outputInPorts(output: Value): InPort[] {
  const cases = casesOf(output);
  const ports = outputParts(output).map(({ name, at }): InPort => {
    const within = cases.find((it) => it.at.every((step, index) => step === at[index]));
    const rest = within ? at.slice(within.at.length) : at;
    const on = within && {
      port: rest.length > 0 ? rest.join(".") : OUTPUT,
      test: within.holds,
      otherwise: within.otherwise,
    };
    return { name, many: false, required: true, ...(on ? { on } : {}) };
  });
  const more = output === null || cases.length > 0 ? [] : [{ name: NEW_OUTPUT, many: false, required: false }];
  return [...ports, ...more];
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
