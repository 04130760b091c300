/** A growing column of numbers outside React: appending never copies what is there, but for a rare doubling. */
export class Column {
  private buffer = new Float64Array(64);
  private count = 0;

  get length(): number {
    return this.count;
  }

  push(value: number) {
    if (this.count === this.buffer.length) {
      const larger = new Float64Array(this.buffer.length * 2);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.count++] = value;
  }

  at(index: number): number {
    return this.buffer[index] as number;
  }

  last(): number | undefined {
    return this.count === 0 ? undefined : this.buffer[this.count - 1];
  }

  /** The values, as a view that holds until the next change. */
  view(): Float64Array {
    return this.buffer.subarray(0, this.count);
  }

  truncate(length: number) {
    this.count = Math.min(this.count, length);
  }

  /** Keeps every second value. */
  halve() {
    for (let i = 0; 2 * i < this.count; i++) this.buffer[i] = this.buffer[2 * i] as number;
    this.count = Math.ceil(this.count / 2);
  }
}
