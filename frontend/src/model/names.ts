/** Attribute names: how they are made, made unique and judged. */

const WORDS = /[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;

/** Words of Python's grammar. Its soft ones, such as `match`, may be names. */
const KEYWORDS = new Set(
  `False None True and as assert async await break class continue def del elif else except finally for from global if
  import in is lambda nonlocal not or pass raise return try while with yield`.split(/\s+/),
);

/** Why a text is no name for an attribute, an argument or a class; null when it is one. */
export function nameFault(text: string): "invalid" | "keyword" | null {
  if (!NAME.test(text)) return "invalid";
  return KEYWORDS.has(text) ? "keyword" : null;
}

export const isName = (text: string): boolean => nameFault(text) === null;

/** `BatchNorm2d` → `batch_norm`, `LeakyReLU` → `leaky_relu`: words joined by `_`, the number of dimensions left out. */
export function snake(label: string): string {
  const words = label.match(WORDS) ?? [];
  let out = "";
  for (const [index, word] of words.entries()) {
    // Short capitalised pieces belong to the acronym that follows them: Re-LU, Si-LU, P-Re-LU.
    const joined = index > 0 && /^[A-Z][a-z]?$/.test(words[index - 1] ?? "");
    out += index === 0 || joined ? word : `_${word}`;
  }
  return out.toLowerCase().replace(/_?[123]d$/, "") || "layer";
}

/** The wanted name, or the first of `name2`, `name3`… that is free. */
export function unique(wanted: string, taken: ReadonlySet<string>): string {
  if (!taken.has(wanted)) return wanted;
  const stem = wanted.replace(/\d+$/, "") || wanted;
  for (let number = 2; ; number++) {
    const name = `${stem}${number}`;
    if (!taken.has(name)) return name;
  }
}
