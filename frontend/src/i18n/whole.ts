/** Every text, for what is fetched after the first page: who imports this fetches the rest of the English ones, too. */
import { en } from "@/i18n/en";
import { translated, useLanguage } from "./language";

/** Every text of the page. A language lacks none and has none too many, or the build fails. */
export type Texts = typeof en;

/** The texts of the chosen language, outside React. */
export const text = (): Texts => translated(useLanguage.getState().language) ?? en;

/** The texts of the chosen language: `useText().runs.title`. Components follow a switch without a reload. */
export function useText(): Texts {
  return translated(useLanguage((state) => state.language)) ?? en;
}
