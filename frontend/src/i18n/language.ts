import { create } from "zustand";
import { first } from "@/i18n/en/first";

export type Language = "en" | "zh";
/** The texts of the first page; `whole` has all. */
export type Texts = typeof first;
type Whole = typeof import("@/i18n/en").en;

const KEY = "layerloom.language";
/** English is always there: the service speaks it, and what it says is found again by it. */
const DICTIONARIES: Record<Exclude<Language, "en">, () => Promise<Whole>> = {
  zh: async () => (await import("@/i18n/zh")).zh,
};
const dictionaries: Partial<Record<Language, Whole>> = {};
/** How each language is named in itself, and its tag for the browser. */
export const LANGUAGES: Record<Language, { label: string; tag: string }> = {
  en: { label: "English", tag: "en" },
  zh: { label: "简体中文", tag: "zh-Hans" },
};

function initial(): Language {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored === "en" || stored === "zh") return stored;
  } catch {
    // Storage may be forbidden; the browser's language then decides.
  }
  return typeof navigator !== "undefined" && navigator.language.startsWith("zh") ? "zh" : "en";
}

function announce(language: Language) {
  if (typeof document !== "undefined") document.documentElement.lang = LANGUAGES[language].tag;
}

export const useLanguage = create<{ language: Language }>(() => {
  const language = initial();
  announce(language);
  return { language };
});

/** Fetches a language's texts; of use before they are shown for the first time. */
export async function loadLanguage(language: Language = useLanguage.getState().language): Promise<void> {
  if (language !== "en") dictionaries[language] ??= await DICTIONARIES[language]();
}

/** Shows the page in a language, once its texts are there. */
export async function setLanguage(language: Language): Promise<void> {
  await loadLanguage(language);
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // The choice then holds for this page only.
  }
  announce(language);
  useLanguage.setState({ language });
}

/** All texts in a language other than English. */
export const translated = (language: Language): Whole | undefined => dictionaries[language];

/** The texts of the chosen language: `useText().editor.title`. Components follow a switch without a reload. */
export function useText(): Texts {
  return translated(useLanguage((state) => state.language)) ?? first;
}

/** The same outside React. */
export function text(): Texts {
  return translated(useLanguage.getState().language) ?? first;
}
