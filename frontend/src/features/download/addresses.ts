/** Addresses of what a run gives away. They are links: the browser downloads them with the session's cookie. */
const base = (id: string) => `/api/runs/${encodeURIComponent(id)}`;

export type WeightFormat = "pt" | "safetensors";

/** @param which "last", "best" or a step. */
export const weightsAddress = (id: string, which: string | number, format: WeightFormat) =>
  `${base(id)}/checkpoints/${which}/state_dict?format=${format}`;

/** The Python file that was trained. */
export const sourceAddress = (id: string) => `${base(id)}/export/python`;

/** Every recorded step of every series. */
export const metricsAddress = (id: string) => `${base(id)}/metrics.csv`;
