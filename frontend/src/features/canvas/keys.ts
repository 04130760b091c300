const MAC = typeof navigator !== "undefined" && navigator.platform.startsWith("Mac");
const SIGNS: { [key: string]: string } = MAC
  ? { Mod: "⌘", Shift: "⇧", Alt: "⌥", Delete: "⌫", Enter: "↵", ArrowUp: "↑" }
  : { Mod: "Ctrl", ArrowUp: "↑", Delete: "Del" };

/** Of the command palette. Also while something is typed. */
export const PALETTE_KEYS = "Mod+K";

/** `Mod+Shift+Z` as this machine's keyboard is labelled. */
export const keyText = (keys: string): string =>
  keys
    .split("+")
    .map((key) => SIGNS[key] ?? key)
    .join(MAC ? "" : "+");
