/** What a freshly added layer or operation is constructed with: torch's defaults, and a start for what has none. */
import type { Entry, ParameterSpec } from "@/api/types";
import type { Arguments, Value } from "./types";

/** Where an argument has no default in torch, the value that most networks begin with; by the argument's name. */
const STARTS: { [name: string]: number } = {
  out_channels: 16,
  out_features: 32,
  hidden_size: 64,
  kernel_size: 3,
  output_size: 1,
  embedding_dim: 64,
  num_embeddings: 128,
  num_heads: 4,
  nhead: 4,
  num_groups: 4,
  num_layers: 2,
  dim_feedforward: 128,
  upscale_factor: 2,
  downscale_factor: 2,
  dim: 1,
  dim0: 1,
  dim1: 2,
  chunks: 2,
  padding: 1,
};

export function startValue(spec: ParameterSpec): Value {
  if (spec.auto) return { $auto: true };
  if (spec.default !== null) return spec.default;
  const start = STARTS[spec.name] ?? Math.max(1, spec.minimum ?? 1);
  switch (spec.kinds[0]) {
    case "int":
    case "size":
      return start;
    case "float":
      return spec.minimum ?? 1;
    case "bool":
      return false;
    case "choice":
      return spec.choices[0] ?? null;
    case "dtype":
      return { $dtype: "float32" };
    case "list":
      return spec.length ? Array.from({ length: spec.length }, () => start) : [start];
    default:
      return null;
  }
}

/** Torch begins with axis 0, which in a network is the batch: a flatten that takes it in is hardly ever meant. */
const BATCH_AXIS = 0;
const AFTER_BATCH = new Set(["start_dim"]);

/** Arguments that must be written down; all else is left to torch's defaults. Ports are connected, not written. */
export function startArguments(entry: Entry): Arguments {
  const ports = new Set(entry.inputs.map((port) => port.name));
  const wanted = entry.parameters.filter((spec) => (spec.required || spec.auto) && !ports.has(spec.name));
  const kept = entry.parameters.filter((spec) => spec.default === BATCH_AXIS && AFTER_BATCH.has(spec.name));
  return Object.fromEntries([
    ...wanted.map((spec) => [spec.name, startValue(spec)]),
    ...kept.map((spec) => [spec.name, BATCH_AXIS + 1]),
  ]);
}
