/** Adding without a drag that says where: below the one selected node and connected to it, else as near to a point as there is room. */

import { remember } from "@/features/palette/recent";
import { useCheck } from "@/features/problems/check";
import { connect } from "@/model/connect";
import { argumentsOf, changeGraph, inputId, nodeAt, place } from "@/model/graph";
import { runningWith } from "@/model/nodes";
import { type OutPort, portsOf, usedPaths } from "@/model/ports";
import { nodeReport } from "@/model/report";
import { centredOn, freePlace, putBelow } from "@/model/spots";
import { apply } from "@/model/store";
import type { Block, Doc, Position } from "@/model/types";
import { placeIn, select, useView } from "@/model/view";
import { lookup } from "./catalogue";
import { here, pointAt, reveal } from "./selected";
import { type Added, addStep, addThing, type Listed, type Thing } from "./things";

/** Adds what was chosen by keyboard or click, selects it, and brings it into view. One step. `screen`: where, if not in the middle. */
export function addByHand(listed: Listed, screen: Position | null = null): void {
  const { block, ids } = here();
  const after = ids.length === 1 && !useView.getState().item ? (ids[0] ?? null) : null;
  let id = "";
  apply(addStep(listed), (doc) => {
    const added = addedAfter(doc, block, listed.thing, after, pointAt(screen));
    id = added.id;
    return added.doc;
  });
  select([id]);
  reveal(id);
  remember(listed.id);
}

/** A document with one thing more, its middle as near to a point as there is room for it. */
export function addedAfter(doc: Doc, block: string, thing: Thing, after: string | null, point: Position): Added {
  const { doc: added, id } = addThing(doc, block, thing, point);
  const linked = after ? linkedAfter(added, block, after, id) : added;
  if (linked !== added && after) return { doc: putBelow(linked, block, id, after, lookup), id };
  const wished = centredOn(linked, block, id, point, lookup);
  return { doc: place(linked, block, { [id]: freePlace(linked, block, id, wished, lookup) }), id };
}

/** The new node fed by another one that gives one value, by the first input that waits for one. */
function linkedAfter(doc: Doc, block: string, from: string, id: string): Doc {
  const its = doc.blocks[block] as Block;
  const node = nodeAt(its.forward, id);
  const outputs = outputsOf(doc, block, from);
  const [out] = outputs;
  if (!node || !out || outputs.length !== 1) return doc;
  const inputs = portsOf(doc, its, node, lookup, []).inputs.filter(
    (port) => argumentsOf(node)[port.name] === undefined,
  );
  const into = inputs.find((port) => port.required) ?? inputs[0];
  if (!into) return doc;
  const fed = connect(doc, block, { id: from, path: out.path }, id, into.name, into.many);
  return changeGraph(fed, block, (graph) => runningWith(graph, id, from));
}

function outputsOf(doc: Doc, block: string, id: string): OutPort[] {
  const its = doc.blocks[block] as Block;
  if (its.forward.inputs.some((input) => inputId(input.name) === id)) return [{ name: "output", path: [] }];
  const node = nodeAt(its.forward, id);
  if (!node) return [];
  const seen = nodeReport(useCheck.getState().report, placeIn(useView.getState().trail, doc), id);
  return portsOf(doc, its, node, lookup, usedPaths(its).get(id) ?? [], seen?.output).outputs;
}
