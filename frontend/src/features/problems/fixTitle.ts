import type { Texts } from "@/i18n";
import { first } from "@/i18n/en/first";

type Words = string | ((...names: string[]) => string);

/** The service's titles as patterns, in the order of the dictionary: the more particular come first there. */
const PATTERNS = Object.entries(first.fixes as Record<string, Words>).map(([key, words]) => {
  const template = typeof words === "string" ? words : words(...new Array(words.length).fill("\0"));
  const pattern = template.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\0", "(.+)");
  return { key, pattern: new RegExp(`^${pattern}$`) };
});

/** A mend's title in the reader's language; in the service's own words where they are not known. */
export function fixTitle(title: string, t: Texts): string {
  for (const { key, pattern } of PATTERNS) {
    const found = pattern.exec(title);
    if (found === null) continue;
    const words = (t.fixes as Record<string, Words>)[key] ?? title;
    return typeof words === "string" ? words : words(...found.slice(1));
  }
  return title;
}
