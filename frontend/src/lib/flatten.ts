/** A nested value as paths and leaves: `{a: {b: 1}}` is `a.b: 1`. Plain lists and empty objects are leaves, too. */
export function flatten(value: unknown, path = ""): [string, unknown][] {
  if (Array.isArray(value) && value.some((item) => typeof item === "object" && item !== null)) {
    return value.flatMap((item, index) => flatten(item, `${path}[${index}]`));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, item]) => flatten(item, path === "" ? key : `${path}.${key}`));
  }
  return [[path, value]];
}

/** A leaf as text. */
export function leafText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
