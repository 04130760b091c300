/** What is compared most comes first. */
export function rank(name: string): number {
  if (name === "train/lr") return 9;
  return (name.startsWith("validation/") ? 0 : 4) + (name.endsWith("/loss") ? 1 : 0);
}
