import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Plan } from "@/api/types";

/** What the dialog edits: a plan without its data set, which depends on the network. */
export interface Settings
  extends Pick<
    Plan,
    | "epochs"
    | "batch_size"
    | "optimizer"
    | "scheduler"
    | "scheduler_interval"
    | "loss"
    | "metrics"
    | "precision"
    | "device"
    | "seed"
    | "normalize"
  > {
  clip: { norm: number | null };
  split: { validation: number };
}

/** As the service would fill in; written out so that the form can show them. */
export const DEFAULTS: Settings = {
  epochs: 20,
  batch_size: 64,
  optimizer: { name: "torch.optim.AdamW", arguments: { lr: 0.003 } },
  scheduler: null,
  scheduler_interval: "epoch",
  loss: null,
  metrics: null,
  clip: { norm: null },
  precision: "fp32",
  device: "auto",
  seed: 0,
  split: { validation: 0.2 },
  normalize: true,
};

interface Remembered {
  settings: Settings;
  dataset: string | null;
}

/** The settings of the last run that was started: the next one begins with them. */
export const useRemembered = create(
  persist((): Remembered => ({ settings: DEFAULTS, dataset: null }), { name: "layerloom.train", version: 1 }),
);
