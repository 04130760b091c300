import { beforeEach, describe, expect, it } from "vitest";
import type { Problem, Report } from "@/api/types";
import { normalise } from "@/model/normalise";
import { useDocument } from "@/model/store";
import { enterMain, useView } from "@/model/view";
import { useCheck } from "./check";
import { goTo } from "./goTo";

const layer = (name: string) => ({ kind: "layer", name, target: "torch.nn.ReLU" });
const block = (name: string, of: string) => ({ kind: "block", name, block: of });
const call = (target: string) => ({ op: "call", id: "n1", target, arguments: { input: { $ref: "x" } } });
const forward = (target: string) => ({ inputs: [{ name: "x" }], nodes: [call(target)], output: { $ref: "n1" } });

/** Net holds a stage, the stage three cells in a row; nothing uses Spare. All their nodes are called n1. */
const nested = () =>
  normalise({
    format: 1,
    main: "Net",
    blocks: {
      Net: { members: [block("stage", "Stage")], forward: forward("stage") },
      Stage: {
        members: [
          {
            kind: "sequential",
            name: "cells",
            items: [{ kind: "repeat", over: { $expr: "3" }, item: block("", "Cell") }],
          },
        ],
        forward: forward("cells"),
      },
      Cell: { members: [layer("act")], forward: forward("act") },
      Spare: { members: [layer("act")], forward: forward("act") },
    },
  });

const problem = (part: Partial<Problem>): Problem => ({
  code: "layer_failed",
  severity: "error",
  message: "",
  block: null,
  node: null,
  member: null,
  instance: null,
  port: null,
  pointer: null,
  data: {},
  fixes: [],
  ...part,
});
const names = ["", "stage", "stage.cells", "stage.cells.0", "stage.cells.0.act", "stage.cells.1", "stage.cells.2"];
const report = { modules: Object.fromEntries(names.map((name) => [name, {}])), problems: [] } as unknown as Report;
const trail = () => useView.getState().trail.map(({ block: name, instance }) => `${name}#${instance}`);

describe("the way to a problem", () => {
  beforeEach(() => {
    const doc = nested();
    useDocument.getState().open(doc);
    enterMain(doc);
    useCheck.setState({ report });
  });

  it("leads to an instance that there is, through every block above it", () => {
    goTo(problem({ block: "Cell", node: "n1" }));
    expect(trail()).toEqual(["Net#", "Stage#stage", "Cell#stage.cells.0"]);
    expect([...useView.getState().selection]).toEqual(["n1"]);
  });

  it("leads to the named instance, from wherever one stands", () => {
    goTo(problem({ block: "Cell", node: "n1" }));
    goTo(problem({ block: "Cell", node: "n1", instance: "stage.cells.2" }));
    expect(trail()).toEqual(["Net#", "Stage#stage", "Cell#stage.cells.2"]);
    goTo(problem({ block: "Stage", node: "n1" }));
    expect(trail()).toEqual(["Net#", "Stage#stage"]);
    goTo(problem({ block: "Net", node: "n1" }));
    expect(trail()).toEqual(["Net#"]);
  });

  it("follows what is drawn when nothing could be built", () => {
    useCheck.setState({ report: { ...report, modules: {} } });
    goTo(problem({ block: "Cell", node: "n1" }));
    expect(trail()).toEqual(["Net#", "Stage#stage", "Cell#stage.cells.*0"]);
  });

  it("lends an unused block no results of others", () => {
    goTo(problem({ block: "Spare", node: "n1" }));
    expect(trail()).toHaveLength(2);
    expect(useView.getState().trail.at(-1)?.instance).not.toBe("");
  });
});
