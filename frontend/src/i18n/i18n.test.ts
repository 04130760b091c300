import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";

type Leaf = string | ((...given: never[]) => string);

function leaves(value: unknown, path = ""): [string, Leaf][] {
  if (typeof value === "string" || typeof value === "function") return [[path, value as Leaf]];
  return Object.entries(value as object).flatMap(([key, item]) => leaves(item, path ? `${path}.${key}` : key));
}

// Words that a search finds things by hold both languages in both; summaries are the service's own in English.
const shown = (of: unknown) => new Map(leaves(of).filter(([path]) => !/\.words$|\.summaries\./.test(path)));
const english = shown(en);
const chinese = shown(zh);
const HAN = /\p{Script=Han}/u;

describe("dictionaries", () => {
  it("have the same keys", () => {
    // In English the service's own message says what helps.
    const needed = [...chinese.keys()].filter((path) => !path.startsWith("remedies."));
    expect(needed.sort()).toEqual([...english.keys()].sort());
  });

  it("leave nothing empty", () => {
    for (const [path, text] of [...english, ...chinese]) expect(text, path).not.toBe("");
  });

  it("have no Chinese in English", () => {
    for (const [path, text] of english) if (typeof text === "string") expect(HAN.test(text), path).toBe(false);
  });

  it("address the reader in one way", () => {
    // A text with numbers in it is a function: its source holds the words.
    const formal = [...chinese].filter(([, text]) => String(text).includes("您")).map(([path]) => path);
    expect(formal).toEqual([]);
  });

  it("translate every sentence", () => {
    // Names, symbols and words of the language PyTorch are written in stay as they are.
    const untranslated = [...english].filter(
      ([path, text]) => typeof text === "string" && /[a-z]+ [a-z]+ [a-z]+/i.test(text) && chinese.get(path) === text,
    );
    expect(untranslated).toEqual([]);
  });
});
