/** Values that are one of two by a condition: each case is a port of its own, and edited by itself. */
import { argumentsOf, changeGraph, changeNode, nodeAt, OUTPUT } from "./graph";
import type { Doc, GraphNode, Path, Ref, Value } from "./types";
import { choice, type If, isIf, isRef, mapHolding, negated, refsIn, replaced, same } from "./values";

/** The condition of what happens while a network trains. */
export const TRAINING = "training";

/** Where a value lies inside those that are chosen by conditions, and the last of these. */
export type Case = {
  at: Path;
  /** What holds there. */
  holds: string;
  /** Whether that is so because the condition that is written does not hold. */
  otherwise: boolean;
};

/** The cases of a value, the first of each choice first; none of one that is no choice. */
export function casesOf(value: Value | undefined): Case[] {
  if (!isIf(value)) return [];
  const inside = (branch: "then" | "else", holds: string): Case[] => {
    const cases = casesOf(value[branch]);
    if (cases.length === 0) return [{ at: [branch], holds, otherwise: branch === "else" }];
    return cases.map((it) => ({ ...it, at: [branch, ...it.at] }));
  };
  return [...inside("then", value.$if), ...inside("else", negated(value.$if))];
}

/** The name of a case's port: that of the argument, and the way to the case behind it. */
export const casePort = (name: string, at: Path): string => [name, ...at].join("/");

/** The argument that a port belongs to, and where in its value. */
export function portPlace(port: string): { name: string; at: Path } {
  const [name = "", ...at] = port.split("/");
  return { name, at };
}

/** Makes a choice of what `forward` returns, first between equal values; or leaves what holds otherwise. */
export const setOutputChoice = (doc: Doc, block: string, on: boolean): Doc =>
  changeGraph(doc, block, (graph) => {
    if (on !== isIf(graph.output)) return { ...graph, output: on ? chosen(graph.output) : unchosen(graph.output) };
    return graph;
  });

const chosen = (value: Value): If => choice(TRAINING, value, value);

/** The value that stays of two: the one outside of training, if anything is connected there. */
function unchosen(value: Value): Value {
  if (!isIf(value)) return value;
  const [inTraining, other] = value.$if === TRAINING ? [value.then, value.else] : [value.else, value.then];
  return refsIn(other).length > 0 ? other : inTraining;
}

/** Sets one case of a choice among the outputs or of an argument. */
export function setCase(doc: Doc, block: string, target: string, at: Path, value: Value): Doc {
  const [name, ...rest] = at;
  return changeGraph(doc, block, (graph) => {
    if (target === OUTPUT) return { ...graph, output: replaced(graph.output, at, value) };
    return changeNode(graph, target, (node) => {
      if (node.op === "get" || name === undefined) return node;
      const key = String(name);
      return {
        ...node,
        arguments: { ...node.arguments, [key]: replaced(node.arguments[key] ?? null, rest, value) },
      };
    });
  });
}

/** What a node hands on of what it is given, were it not there: the first thing that is connected to it. */
export const passedBy = (node: GraphNode): Ref | null => Object.values(argumentsOf(node)).find(isRef) ?? null;

/**
 * A document in which whoever reads a node where its condition does not hold reads there what the node is given, so
 * that data goes past it. The same document comes back when nobody reads it so.
 */
export function bypassed(doc: Doc, block: string, id: string): Doc {
  const node = doc.blocks[block] && nodeAt(doc.blocks[block].forward, id);
  const past = node && passedBy(node);
  const when = node?.when;
  if (!past || !when) return doc;
  const around = (value: Value, reader: string | null): Value => {
    const next = mapHolding(value, new Set(reader === null ? [] : [reader]), (from, holding) => {
      if (from.$ref !== id || from.path.length > 0 || holding.has(when)) return from;
      return holding.has(negated(when)) ? past : choice(when, from, past);
    });
    return same(next, value) ? value : next;
  };
  return changeGraph(doc, block, (graph) => {
    const nodes = graph.nodes.map((it): GraphNode => {
      const given = Object.entries(argumentsOf(it)).map(([name, value]) => [name, around(value, it.when)] as const);
      const isSame = given.every(([name, value]) => argumentsOf(it)[name] === value);
      return it.op === "get" || isSame ? it : { ...it, arguments: Object.fromEntries(given) };
    });
    const output = around(graph.output, null);
    const isSame = output === graph.output && nodes.every((it, index) => it === graph.nodes[index]);
    return isSame ? graph : { ...graph, nodes, output };
  });
}
