import { describe, expect, it } from "vitest";
import { createBuilder } from "@/features/canvas/flow";
import { LayerTracks, ParameterTracks } from "@/live/tracks";
import { block, call, holding, linear, network } from "@/model/example.test-data";
import { measured } from "./measured";
import { logScale, memberNorms } from "./norms";
import { reading } from "./readings";

function tracks() {
  const made = new ParameterTracks();
  const names = ["stem.weight", "stem.bias", "stem2.weight", "scale"];
  const head = { run: "r", seq: 1, at: 0, kind: "statistics" as const, names, nonfinite: {} };
  made.append({ ...head, step: 1, gradient_norm: [3, 4, 9, 2], weight_norm: [1, 1, 1, 1], update_norm: [0, 0, 0, 0] });
  made.append({ ...head, step: 2, gradient_norm: [6, 8, 9, 2], weight_norm: [1, 1, 1, 1], update_norm: [0, 0, 0, 0] });
  return made;
}

describe("a measured graph", () => {
  it("colours nodes, and the items of an open container, on one scale", () => {
    const doc = network(
      block(
        [holding("sequential", "body", linear("0"), linear("1")), linear("fc")],
        [call("n1", "body", "x"), call("n2", "fc", "n1")],
        {
          $ref: "n2",
        },
      ),
    );
    const place = { block: doc.main, instance: "" };
    const scene = createBuilder()({ doc, place, lookup: () => undefined, report: null });
    const made = new ParameterTracks();
    const [box] = scene.nodes.filter((node) => node.data.box);
    const member = box?.data.member ?? "";
    const names = [`${member}.0.weight`, `${member}.0.bias`];
    const norms = { gradient_norm: [3, 4], weight_norm: [1, 1], update_norm: [0, 0] };
    made.append({ run: "r", seq: 1, at: 0, kind: "statistics", step: 1, names, nonfinite: {}, ...norms });
    const views = { statistics: made, activations: new LayerTracks() };
    const { nodes, edges } = measured(scene, (member) => reading("gradient", views, member, 0));
    const found = nodes.find((node) => node.id === box?.id)?.data;
    expect(found?.reading?.value).toBe(5);
    expect(found?.rows.map((row) => row.reading?.value ?? null).slice(0, 2)).toEqual([5, null]);
    expect(nodes.filter((node) => node.data.share !== null)).toHaveLength(1);
    expect(edges).toHaveLength(scene.edges.length);
  });
});

describe("the norms of a node", () => {
  it("are those of all its parameters together, and of no neighbour's", () => {
    expect(memberNorms(tracks(), "stem", 0)).toMatchObject({ gradient: 5, parameters: 2 });
    expect(memberNorms(tracks(), "stem", 1)).toMatchObject({ gradient: 10 });
    expect(memberNorms(tracks(), "scale", 0)).toMatchObject({ gradient: 2, parameters: 1 });
    expect(memberNorms(tracks(), "relu", 0)).toBeNull();
  });

  it("lie on a logarithmic scale", () => {
    const { low, high, share } = logScale([0.01, 1, 0, Number.NaN]);
    expect([low, high, share(0.1), share(0), share(Number.NaN)]).toEqual([0.01, 1, 0.5, 0, null]);
    expect(logScale([2]).share(2)).toBe(0.5);
    expect(logScale([]).empty).toBe(true);
  });
});

describe("what the layers of a node give", () => {
  const activations = new LayerTracks();
  const head = { run: "r", seq: 1, at: 0, kind: "activations" as const };
  const names = ["stem.0", "stem.1", "act"];
  const moments = { mean: [1, 3, null], std: [3, 4, null], zeros: [0, 0.5, 0], units: [8, 8, 4], dead: [0, 4, 0] };
  activations.append({ ...head, step: 1, names, ...moments, nonfinite: ["act"] });
  const views = { statistics: tracks(), activations };

  it("is a layer's own, or that of all layers of a box", () => {
    expect(reading("dead", views, "stem.1", 0)?.value).toBe(0.5);
    expect(reading("dead", views, "stem", 0)?.value).toBe(0.25);
    expect(reading("std", views, "stem", 0)?.value).toBe(Math.sqrt(12.5));
    expect(reading("std", views, "stem2", 0)).toBeNull();
  });

  it("tells of what was not finite", () => {
    expect(reading("std", views, "act", 0)?.value).toBe(Number.POSITIVE_INFINITY);
  });

  it("stands beside the update's share of the weights", () => {
    expect(reading("ratio", views, "stem", 0)?.value).toBe(0);
  });
});
