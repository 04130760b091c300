/** Addresses of what a run gives away. They are links: the browser downloads them with the session's cookie. */
const base = (id: string) => `/api/runs/${encodeURIComponent(id)}`;

/**
 * A run's network in a format that takes no time to write.
 *
 * @param which "last", "best" or a step.
 */
export const exportAddress = (id: string, format: string, which: string | number = "last") =>
  `${base(id)}/export/${encodeURIComponent(format)}?which=${which}`;

/** The tokens by their id. */
export const vocabularyAddress = (id: string) => `${base(id)}/vocabulary.json`;

/** Every recorded step of every series. */
export const metricsAddress = (id: string) => `${base(id)}/metrics.csv`;
