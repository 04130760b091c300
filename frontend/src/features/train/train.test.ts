import { describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import type { DatasetEntry, Document } from "@/api/types";
import { en } from "@/i18n/en";
import { misfit, suggested } from "./fit";
import { lossHint } from "./losses";
import { nextName } from "./names";
import { outputNames } from "./outputs";
import { concernsFolded, messageBeside, messageFor, planField, refusedFields, unplaced } from "./problems";
import { monitorable } from "./series";
import { DEFAULTS } from "./settings";
import { readWeights } from "./WeightsField";

function entry(part: Partial<DatasetEntry>): DatasetEntry {
  return {
    name: "digits",
    label: "Digits",
    category: "images",
    summary: "",
    link: "",
    parameters: [],
    inputs: [],
    outputs: [],
    keywords: [],
    tensors: [],
    tasks: [],
    task: "classification",
    shape: [1, 8, 8],
    dtype: "float32",
    target_shape: [],
    target_dtype: "int64",
    classes: [],
    samples: 10,
    available: true,
    uploaded: false,
    ...part,
  } as DatasetEntry;
}

function network(shape: number[], dtype = "float32", high: number | null = null): Document {
  return {
    format: 1,
    name: "",
    main: "Net",
    blocks: {
      Net: {
        doc: "",
        version: 1,
        arguments: [],
        members: [],
        forward: { inputs: [{ name: "x", optional: false }], nodes: [], output: null },
      },
    },
    init: [],
    frozen: [],
    inputs: { x: { shape, dtype, batch: true, high } },
    code: {},
    ui: { blocks: {} },
  };
}

it("reads the weights of classes", () => {
  expect(readWeights("1, 2.5 0;3")).toEqual([1, 2.5, 0, 3]);
  for (const text of ["", "1", "1, x", "1, -2", "1, Infinity"]) expect(readWeights(text)).toBeNull();
});

const inEnglish = (english: string) => english;

describe("what fits a network", () => {
  it("is the same shape, or a flat view of it", () => {
    expect(misfit(entry({}), network([1, 8, 8]), en)).toBeNull();
    expect(misfit(entry({}), network([64]), en)).toBeNull();
    expect(misfit(entry({}), network([1, 28, 28]), en)).toContain("1×28×28");
    expect(misfit(entry({}), network([1, 4, 16]), en)).not.toBeNull();
  });
  it("is the same kind of number, and no larger vocabulary", () => {
    const text = entry({ task: "tokens", shape: [48], dtype: "int64", classes: ["a", "b", "c"] });
    expect(misfit(text, network([48]), en)).toContain("int64");
    expect(misfit(text, network([48], "int64", 3), en)).toBeNull();
    expect(misfit(text, network([48], "int64", 2), en)).toContain("2");
  });
  it("is suggested first, the last used before others", () => {
    const all = [entry({ name: "iris", shape: [4] }), entry({}), entry({ name: "digits-flat", shape: [64] })];
    expect(suggested(all, network([64]), null, en)).toBe("digits");
    expect(suggested(all, network([64]), "digits-flat", en)).toBe("digits-flat");
    expect(suggested(all, network([99]), null, en)).toBe("iris");
  });
});

describe("what the service refuses", () => {
  it("is shown at its field of the plan", () => {
    expect(["/plan/batch_size", "body.plan.optimizer.name", "/blocks/Net", ""].map(planField)).toEqual([
      "batch_size",
      "optimizer.name",
      "",
      "",
    ]);
    const error = new ApiError(422, {
      errors: [
        { path: "/plan/optimizer/arguments/lr", code: "argument_range", message: "lr is negative", problem: null },
        { path: "", code: "dataset_mismatch", message: "does not fit", problem: null },
        { path: "/blocks/Net", code: "shape_mismatch", message: "fc expects 512", problem: null },
        { path: "/plan/statistics/layers/1", code: "plan_invalid", message: "no layer conv9", problem: null },
        { path: "/plan/groups/0/pattern", code: "plan_invalid", message: "no parameter fx", problem: null },
      ],
    });
    const refused = refusedFields(error, DEFAULTS, inEnglish);
    expect(messageFor(refused, "optimizer")).toBe("lr is negative");
    expect(messageFor(refused, "dataset")).toBe("does not fit");
    expect(messageFor(refused, "statistics.layers")).toBe("no layer conv9");
    expect(messageFor(refused, "groups.0.pattern")).toBe("no parameter fx");
    expect(refused.get("")?.map(({ text }) => text)).toEqual(["fc expects 512"]);
    expect(messageFor(refused, "loss")).toBeUndefined();
  });

  it("is shown at the argument that is missing", () => {
    const name = "torch.optim.lr_scheduler.StepLR";
    const problem = { code: "missing_argument", message: "StepLR needs step_size.", port: "step_size", data: { name } };
    const error = new ApiError(422, {
      errors: [{ path: "", code: "missing_argument", message: problem.message, problem: problem as never }],
    });
    const refused = refusedFields(error, { ...DEFAULTS, scheduler: { name, arguments: {}, parts: [] } }, inEnglish);
    expect([...refused.keys()]).toEqual(["scheduler.arguments.step_size"]);
    expect(messageBeside(refused, "scheduler", ["scheduler.arguments.step_size"])).toBeUndefined();
    expect([concernsFolded(refused), unplaced(refused)]).toEqual([true, []]);
  });

  it("is listed where no control can show it, and unfolds what it concerns", () => {
    const refused = (path: string) =>
      refusedFields(
        new ApiError(422, { errors: [{ path, code: "invalid_body", message: "refused", problem: null }] }),
        DEFAULTS,
        inEnglish,
      );
    expect(unplaced(refused("/plan/later/keep")).map(({ field }) => field)).toEqual(["later.keep"]);
    expect(unplaced(refused("/name"))).toHaveLength(1);
    for (const path of ["/plan/epochs", "/plan/optimizer/arguments/lr", "/plan/seed", "/plan/split/validation"]) {
      expect(unplaced(refused(path)), path).toEqual([]);
    }
    expect([concernsFolded(refused("/plan/epochs")), concernsFolded(refused("/plan/clip/norm"))]).toEqual([
      false,
      true,
    ]);
  });
});

describe("a run's name", () => {
  it("tells it apart from the network's earlier runs", () => {
    const runs = (...names: string[]) => names.map((name) => ({ name }));
    expect(nextName("CNN", [])).toBe("CNN 1");
    expect(nextName("CNN", runs("CNN", "CNN", "CNN 2b", "MLP 9"))).toBe("CNN 3");
    expect(nextName("CNN", runs("CNN 2", "CNN 7", "CNN 07"))).toBe("CNN 8");
    expect(nextName("x".repeat(300), []).length).toBeLessThanOrEqual(200);
  });
});

describe("what a run can be judged by", () => {
  it("are the series of its metrics, those of the task when none is chosen", () => {
    expect(monitorable(DEFAULTS, "regression")).toEqual([
      "validation/loss",
      "validation/mean_absolute_error",
      "train/mean_absolute_error",
      "validation/r2_score",
      "train/r2_score",
    ]);
    const metrics = [{ name: "torchmetrics.classification.MulticlassAUROC", arguments: {} }];
    const checkpoints = { every_epochs: 1, keep_every: null, monitor: "validation/gone" };
    expect(monitorable({ ...DEFAULTS, metrics, checkpoints }, "classification")).toEqual([
      "validation/loss",
      "validation/auroc",
      "train/auroc",
      "validation/gone",
    ]);
  });
});

describe("the hint at a loss", () => {
  const loss = (label: string, summary = "") => ({ ...entry({}), name: `torch.nn.${label}`, label, summary });
  it("says what a loss that was chosen expects", () => {
    expect(lossHint(undefined, en)).toBeUndefined();
    expect(lossHint(loss("NLLLoss"), en)).toContain("LogSoftmax");
    expect(lossHint(loss("KLDivLoss", "The divergence loss. For more, see there."), en)).toBe("The divergence loss.");
  });
});

describe("names of outputs", () => {
  const returning = (output: unknown) =>
    outputNames({ main: "Net", blocks: { Net: { forward: { output } } } } as unknown as Document);

  it("are keys and places, and none where one tensor is returned", () => {
    const ref = (id: string) => ({ $ref: id });
    expect(returning(ref("n1"))).toEqual([]);
    expect(returning({ $dict: { a: ref("n1"), b: { $tuple: [ref("n1"), ref("n2")] } } })).toEqual(["a", "b.0", "b.1"]);
    expect(returning([ref("n1"), ref("n2")])).toEqual(["0", "1"]);
  });
});
