/**
 * Debiased exponential moving average. The n-th value is the weighted mean of the first n, with weights w^(n-i) that
 * sum to one; written as an update of the mean, so that a constant stays exactly constant. A value that is not finite
 * leaves the average as it was and is handed through, as a gap.
 */
export class Smoother {
  readonly weight: number;
  private mean = 0;
  private remaining = 1;

  /** @param weight of the past, 0 (no smoothing) to below 1. */
  constructor(weight: number) {
    this.weight = weight;
  }

  /** @param count how many values in a row were this one. */
  push(value: number, count = 1): number {
    if (!Number.isFinite(value)) return value;
    const kept = count === 1 ? this.weight : this.weight ** count;
    this.remaining *= kept;
    this.mean += ((1 - kept) / (1 - this.remaining)) * (value - this.mean);
    return this.mean;
  }
}
