import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Plan } from "@/api/types";

/** What the dialog edits: a plan without its data set, which depends on the network. */
export type Settings = Omit<Plan, "dataset">;

/** As the service would fill in; written out so that the form can show them. */
export const DEFAULTS: Settings = {
  epochs: 20,
  steps: null,
  batch_size: 64,
  accumulation: 1,
  optimizer: { name: "torch.optim.AdamW", arguments: { lr: 0.003 } },
  groups: [],
  scheduler: null,
  scheduler_interval: "epoch",
  warmup: 0,
  loss: null,
  class_weights: null,
  mixing: null,
  transforms: [],
  metrics: null,
  heads: [],
  clip: { norm: null, value: null },
  precision: "fp32",
  compile: false,
  device: "auto",
  devices: 1,
  sync_batch_norm: false,
  threads: null,
  seed: 0,
  split: { validation: 0.2, stratify: true, seed: 0 },
  normalize: true,
  averaging: null,
  early_stopping: null,
  checkpoints: { every_epochs: 1, keep_every: null, monitor: null },
  statistics: {
    norms: true,
    histograms: true,
    activations: true,
    features: true,
    attention: true,
    layers: [],
    samples: 2,
    budget: 0.02,
  },
};

/** The settings of a run: its plan as it is. */
export function settingsOf({ dataset: _, ...settings }: Plan): Settings {
  return settings;
}

interface Remembered {
  settings: Settings;
  dataset: string | null;
}

/** What an earlier version remembered lacks the settings that came later. */
function completed(stored: Partial<Settings> | undefined): Settings {
  const { clip, split, checkpoints, statistics } = { ...DEFAULTS, ...stored };
  return {
    ...DEFAULTS,
    ...stored,
    clip: { ...DEFAULTS.clip, ...clip },
    split: { ...DEFAULTS.split, ...split },
    checkpoints: { ...DEFAULTS.checkpoints, ...checkpoints },
    statistics: { ...DEFAULTS.statistics, ...statistics },
  };
}

/** The settings of the last run that was started: the next one begins with them. */
export const useRemembered = create(
  persist((): Remembered => ({ settings: DEFAULTS, dataset: null }), {
    name: "layerloom.train",
    version: 1,
    merge: (stored, initial) => {
      const { settings, dataset = null } = (stored ?? {}) as Partial<Remembered>;
      return { ...initial, settings: completed(settings), dataset };
    },
  }),
);

/** The plan that comes with the network in the editor, until a run was started. */
export const useOffered = create((): { plan: Plan | null } => ({ plan: null }));
