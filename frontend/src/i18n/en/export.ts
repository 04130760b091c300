/** Words of the service for its formats. English has none of its own: they are shown as they come. */
const summaries: Record<string, string> = {};

export const exporting = {
  title: "Export the network",
  trainedTitle: "Export the trained network",
  untrained: "Weights are those of the initializers, under seed 0. Trained ones are on the page of a run.",
  broken: (count: number) =>
    `The network has ${count === 1 ? "an error" : `${count} errors`}. Until that is mended, it can only be saved as a LayerLoom network.`,
  showProblems: "Show the problems",
  showNode: "Show it in the graph",
  weightsOf: "Weights",
  weights: { last: "Last checkpoint", best: "Best checkpoint" },
  step: (step: string) => `Weights of step ${step}`,
  kinds: { source: "Code", weights: "Weights", program: "Programs", quantized: "Quantized to 8 bits" },
  own: { label: "LayerLoom network", summary: "To open it here again: the drawing itself, as JSON" },
  summaries,
  download: (label: string, suffix: string) => `Download ${label} (${suffix})`,
  missing: "Needs packages that are not installed where LayerLoom runs:",
  writing: "Writing it, and comparing it with torch. A large network may take minutes.",
  cancel: "Cancel",
  saved: (name: string, size: string) => `${name}, ${size}`,
  /** A program, and one whose weights were rounded, which is held against the rounded module. */
  agrees: {
    exact: {
      program: "The same outputs as torch, bit for bit",
      rounded: "Gives what the rounded module gives, bit for bit",
    },
    nearly: {
      program: (difference: string) => `The same outputs as torch: the largest difference is ${difference}`,
      rounded: (difference: string) => `Gives what the rounded module gives: the largest difference is ${difference}`,
    },
    at: (sentence: string, batches: string) => (batches ? `${sentence}, at batch ${batches}.` : `${sentence}.`),
  },
  before: "Weights before",
  after: "Weights after",
  largest: "Largest error",
  mean: "Mean error",
  ofLargest: (share: string) => `${share} of the largest output`,
  ofMean: (share: string) => `${share} of the mean output`,
  measured: "Errors are those of the outputs, against full precision, on random inputs.",
};
