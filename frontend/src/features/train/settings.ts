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

interface Remembered {
  /** By what they train: the draft that is open, and the network that it is stored as. The newest come last. */
  plans: Record<string, Plan>;
  /** The data set that was used last, for networks that have no plan yet. */
  dataset: string | null;
}

/** A browser's room is small, and a plan that is not remembered is soon chosen again. */
const MOST = 64;

/** What is planned for each network. One without a plan begins with the defaults, never with another one's plan. */
export const useRemembered = create(
  persist((): Remembered => ({ plans: {}, dataset: null }), {
    name: "layerloom.train",
    version: 2,
    // The first version remembered one plan for all networks.
    migrate: (stored) => ({ plans: {}, dataset: (stored as Partial<Remembered>).dataset ?? null }),
    merge: (stored, initial) => {
      const { plans = {}, dataset = null } = (stored ?? {}) as Partial<Remembered>;
      const whole = Object.entries(plans).map(([key, plan]) => [key, { ...completed(plan), dataset: plan.dataset }]);
      return { ...initial, plans: Object.fromEntries(whole), dataset };
    },
  }),
);

/** What a plan is remembered of: the draft that is open in the editor, and its network if it is stored. */
export interface Planned {
  draft: string;
  network: string | null;
}

/** What is planned for a network, if anything is. */
export const planOf = ({ plans }: Remembered, { draft, network }: Planned): Plan | undefined =>
  plans[draft] ?? plans[network ?? ""];

/** Plans a network: its next run begins with this. */
export function rememberPlan({ draft, network }: Planned, plan: Plan): void {
  const { [draft]: _, [network ?? ""]: __, ...others } = useRemembered.getState().plans;
  const own = network === null ? { [draft]: plan } : { [draft]: plan, [network]: plan };
  useRemembered.setState({ plans: Object.fromEntries(Object.entries({ ...others, ...own }).slice(-MOST)) });
}

/** A draft is stored as a network from now on, and so is what is planned for it. */
export function adoptPlan(draft: string, network: string): void {
  const plan = useRemembered.getState().plans[draft];
  if (plan) rememberPlan({ draft, network }, plan);
}
