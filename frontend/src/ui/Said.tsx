import { useTranslate } from "@/i18n/said";

/** Between characters of another script: words beside each other are a quotation, of torch mostly, and no name. */
const QUOTED = /([^\p{Script=Han}，。；：（）“”、]*[A-Za-z']{2,} [A-Za-z']{2,}[^\p{Script=Han}，。；：（）“”、]*)/u;

/** Whether some of what was translated is still English. */
export const quotes = (translated: string): boolean => QUOTED.test(translated);

/** A sentence of the service's in the reader's language; what of it is not known stays English, and is marked as such. */
export function Said({ children: english, className }: { children: string; className?: string | undefined }) {
  const translated = useTranslate()(english);
  if (translated === null)
    return (
      <span lang="en" className={className}>
        {english}
      </span>
    );
  const parts = translated.split(QUOTED);
  return (
    <span className={className}>
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          // biome-ignore lint/suspicious/noArrayIndexKey: parts of one text, in their order
          <span key={index} lang="en">
            {part}
          </span>
        ),
      )}
    </span>
  );
}
