/** Something that shows live data and knows how to show it again. */
export interface Drawable {
  draw: () => void;
  /** Asked before each draw: what is off the screen waits until it is back. */
  visible: () => boolean;
  /** Milliseconds between two draws at the least; a tenth of a second when absent. */
  period?: number;
}

/** A chart is drawn at most ten times a second. */
const PERIOD_MS = 100;
/** And a frame is never filled with drawing: input comes first. */
const BUDGET_MS = 8;

/**
 * One animation-frame loop for everything live. Data marks what it touched; the loop draws what is marked and
 * visible, in turn, within its budget. It sleeps while nothing is marked.
 */
export class DrawLoop {
  private readonly marked = new Set<Drawable>();
  private readonly drawn = new WeakMap<Drawable, number>();
  private frame = 0;

  mark(item: Drawable) {
    this.marked.add(item);
    this.wake();
  }

  forget(item: Drawable) {
    this.marked.delete(item);
  }

  private wake() {
    if (this.frame === 0 && this.marked.size > 0) this.frame = requestAnimationFrame(this.run);
  }

  private readonly run = (now: number) => {
    this.frame = 0;
    const start = performance.now();
    for (const item of this.marked.keys()) {
      if (now - (this.drawn.get(item) ?? Number.NEGATIVE_INFINITY) < (item.period ?? PERIOD_MS) || !item.visible())
        continue;
      // Taken out first: what arrives while drawing marks it again, at the end of the queue.
      this.marked.delete(item);
      this.drawn.set(item, now);
      item.draw();
      if (performance.now() - start > BUDGET_MS) break;
    }
    this.wake();
  };
}

export const drawLoop = new DrawLoop();
