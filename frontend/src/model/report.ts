/** Reading a check's report: results at nodes of an instance, and shapes as people write them. */
import type { NodeReport, Problem, Report, Result } from "@/api/types";
import { isTensor } from "./ports";

/** Where the canvas stands: a block, and which instance of it (the qualified module name, empty for the outermost). */
export type Place = { block: string; instance: string };

export const nodeReport = (report: Report | null, place: Place, id: string): NodeReport | undefined =>
  report?.nodes[`${place.instance}#${id}`];

export const qualified = (instance: string, path: string): string => (instance ? `${instance}.${path}` : path);

/** `N×16×8×8`: axes that grow with the batch are N (twice the batch 2N), a scalar is `scalar`. */
export function shapeText(shape: readonly number[], batchAxes: readonly number[], batch: number): string {
  if (shape.length === 0) return "scalar";
  return shape
    .map((size, axis) => {
      if (!batchAxes.includes(axis)) return String(size);
      const times = batch > 0 ? size / batch : 1;
      return times === 1 || !Number.isInteger(times) ? "N" : `${times}N`;
    })
    .join("×");
}

/** A result in a few characters: a shape, `(…, …)` for tuples, `{a: …}` for dicts. */
export function resultText(result: Result | null | undefined, batch: number, depth = 2): string {
  if (result === null || result === undefined) return "";
  if (isTensor(result)) return shapeText(result.shape, result.batch_axes, batch);
  if (Array.isArray(result)) {
    if (depth === 0) return "(…)";
    const shown = result.slice(0, 3).map((part) => resultText(part, batch, depth - 1));
    return `(${shown.join(", ")}${result.length > 3 ? ", …" : ""})`;
  }
  if ("text" in result && typeof result.text === "string") return result.text;
  const entries = Object.entries(result as { [key: string]: Result });
  return `{${entries.map(([key, part]) => (depth === 0 ? key : `${key}: ${resultText(part, batch, depth - 1)}`)).join(", ")}}`;
}

/** Problems that belong to what is drawn here: those of the block, in this instance or in any. */
export function problemsHere(report: Report | null, place: Place): Problem[] {
  return (report?.problems ?? []).filter(
    (problem) => problem.block === place.block && (problem.instance === null || problem.instance === place.instance),
  );
}
