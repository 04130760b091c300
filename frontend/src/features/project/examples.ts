import { queryOptions } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import type { Example } from "@/api/types";
import type { Language } from "@/i18n";
import { shapeText } from "@/lib/shape";

/** Networks that come with the program. */
export const examplesQuery = queryOptions({
  queryKey: ["examples"],
  queryFn: ({ signal }) => unwrap(api.GET("/api/examples", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export type Family = Example["family"];
/** In the order in which they are shown. */
export const FAMILIES: readonly Family[] = ["basics", "images", "sequences", "generative", "structures"];

/** What an example is called. */
export const wordsOf = (example: Example, language: Language): { title: string; summary: string } =>
  language === "zh" ? example.zh : example;

/** Those in which every word of a query occurs, in either language, in the order of the families. */
export function found(all: readonly Example[], query: string, families: Record<Family, string>): Example[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const text = ({ id, title, summary, zh, family, document }: Example) =>
    [id, title, summary, zh.title, zh.summary, family, families[family], document.main, ...Object.keys(document.blocks)]
      .join("\n")
      .toLowerCase();
  return FAMILIES.flatMap((family) => all.filter((example) => example.family === family)).filter((example) => {
    const said = text(example);
    return words.every((word) => said.includes(word));
  });
}

/** What goes in and what comes out, per sample. */
export function shapesOf({ document, outputs }: Example): { given: string; returned: string } {
  const inputs = document.blocks[document.main]?.forward.inputs ?? [];
  const given = inputs.map(({ name }) => shapeText(document.inputs[name]?.shape ?? []));
  return { given: given.join(", "), returned: outputs.map(shapeText).join(", ") };
}
