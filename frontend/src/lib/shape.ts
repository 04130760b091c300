/** 1×8×8; a single number for the empty shape. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? "1" : shape.join("×");
}

export function volume(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
