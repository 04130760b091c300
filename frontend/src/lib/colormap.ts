/** Nine stops of matplotlib's viridis: even to the eye, and readable without colour. */
const STOPS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
] as const;

/** Red, green and blue (0–255) of a share between 0 and 1. */
export function viridis(share: number): readonly [number, number, number] {
  const place = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const index = Math.min(STOPS.length - 2, Math.floor(place));
  const [from, to] = [STOPS[index], STOPS[index + 1]] as [(typeof STOPS)[number], (typeof STOPS)[number]];
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * (place - index));
  return [mix(0), mix(1), mix(2)];
}

const SHADES = 256;

/** Shades as 32-bit pixels of an ImageData, in the byte order of this machine; written as one number each. */
const PIXELS = (() => {
  const bytes = new Uint8ClampedArray(4 * SHADES);
  for (let shade = 0; shade < SHADES; shade++) bytes.set([...viridis(shade / (SHADES - 1)), 255], 4 * shade);
  return new Uint32Array(bytes.buffer);
})();

/** Colours shares between 0 and 1 into the pixels of an image; NaN stays transparent. */
export function paintViridis(shares: Float32Array, pixels: Uint32Array) {
  for (let i = 0; i < shares.length; i++) {
    const share = shares[i] as number;
    if (!Number.isNaN(share)) pixels[i] = PIXELS[Math.round(share * (SHADES - 1))] as number;
  }
}

/** The whole scale as a CSS gradient, for a legend. */
export const VIRIDIS_GRADIENT = `linear-gradient(90deg, ${STOPS.map((stop) => `rgb(${stop.join(" ")})`).join(", ")})`;
