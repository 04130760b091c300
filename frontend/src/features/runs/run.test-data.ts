import type { Run } from "@/api/types";
import { digits } from "@/model/example.test-data";

/** A run as the service would send it: one that has ended well, after ten steps. */
export function run(part: Partial<Run> = {}): Run {
  return {
    id: "r",
    name: "Digits CNN",
    tags: ["baseline"],
    state: "succeeded",
    desired: "run",
    attempt: 1,
    dataset: "digits",
    model: "DigitsCNN",
    created_at: 0,
    started_at: null,
    ended_at: null,
    step: 10,
    steps: 10,
    epoch: 1,
    epochs: 1,
    last: {},
    best: {},
    parameters: 0,
    last_seq: 0,
    problem: null,
    document: digits(),
    plan: {
      dataset: "digits",
      groups: [],
      heads: [],
      optimizer: { name: "torch.optim.AdamW", arguments: {} },
      warmup: 0,
    },
    adjustment: { number: 0, learning_rate: null, groups: {}, epochs: null, steps: null },
    adjusted: [],
    origin: null,
    forked_from: null,
    forks: [],
    ...part,
  } as Run;
}
