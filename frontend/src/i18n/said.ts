import { useEffect } from "react";
import { create } from "zustand";
import { type Language, useLanguage } from "./language";

type Translate = (english: string) => string | null;

const READERS: Partial<Record<Language, () => Promise<Translate>>> = {
  zh: async () => (await import("@/i18n/zh/phrases")).translate,
};
/** Translations of what the service says, of the languages that were asked for; fetched after the page. */
const useBooks = create<Partial<Record<Language, Translate>>>(() => ({}));
const asked = new Set<Language>();

/** Fetches what is needed to translate the service's sentences. Until it is there they stay English. */
export async function loadPhrases(language: Language = useLanguage.getState().language): Promise<void> {
  const load = READERS[language];
  if (load === undefined || asked.has(language)) return;
  asked.add(language);
  try {
    useBooks.setState({ [language]: await load() });
  } catch {
    // Asked again with the next sentence: the service may be away just now.
    asked.delete(language);
  }
}

const nothing: Translate = () => null;

/** A function that gives the reader's words for what the service said; null where it has to be shown as it is. */
export function useTranslate(): Translate {
  const language = useLanguage((state) => state.language);
  const translate = useBooks((state) => state[language]);
  useEffect(() => void loadPhrases(language), [language]);
  return translate ?? nothing;
}

/** A function that gives the reader's words for what the service said, or that itself. */
export function useSaid(): (english: string) => string {
  const translate = useTranslate();
  return (english) => translate(english) ?? english;
}

/** The same outside React, with what is there by now. */
export function saidNow(english: string): string {
  return useBooks.getState()[useLanguage.getState().language]?.(english) ?? english;
}
