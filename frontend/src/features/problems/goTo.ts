import type { Problem } from "@/api/types";
import { nodeAt } from "@/model/graph";
import { currentDoc } from "@/model/store";
import { clearSelection, focusNode, placeIn, useView } from "@/model/view";
import { useCheck } from "./check";
import { callerOf, trailTo } from "./place";

/** Goes to the block and node of a problem. */
export function goTo(problem: Problem): void {
  const doc = currentDoc();
  const block = problem.block ?? doc.main;
  const graph = doc.blocks[block]?.forward;
  if (!graph) return;
  const shown = placeIn(useView.getState().trail, doc);
  const here = shown.block === block && (problem.instance === null || problem.instance === shown.instance);
  if (!here) useView.setState({ trail: trailTo(problem, doc, useCheck.getState().report) });
  const { node, member } = problem;
  const id = node && graph.inputs.some((input) => input.name === node) ? `input:${node}` : node;
  const called = member === null ? undefined : callerOf(graph, member);
  const target = id && (id.startsWith("input:") || nodeAt(graph, id)) ? id : called?.id;
  if (target) focusNode(target);
  else clearSelection();
  if (target && member && called?.id === target && called.target !== member) useView.setState({ item: member });
}
