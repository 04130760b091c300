import type { Texts } from "@/i18n";

export interface NumberRange {
  whole: boolean;
  minimum?: number | null;
  maximum?: number | null;
  /** Limits that are not themselves allowed. */
  above?: number | null;
  below?: number | null;
}

/** One comma and no point: somebody whose decimals are written so. In a whole number it could be thousands. */
const DECIMAL_COMMA = /^[^.,]*,[^.,]*$/;

/**
 * A number as it is typed: with a decimal point or comma, in the digits of any input method.
 *
 * @throws SyntaxError that says what is wanted.
 */
export function readNumber(text: string, range: NumberRange, t: Texts["common"]["forms"]): number {
  const typed = text.normalize("NFKC").trim();
  const number = Number(!range.whole && DECIMAL_COMMA.test(typed) ? typed.replace(",", ".") : typed);
  if (typed === "") throw new SyntaxError(t.needed);
  if (!Number.isFinite(number)) throw new SyntaxError(range.whole ? t.notInteger : t.notNumber);
  if (range.whole && !Number.isSafeInteger(number)) throw new SyntaxError(t.notInteger);
  const { minimum, maximum, above, below } = range;
  if (typeof minimum === "number" && number < minimum) throw new SyntaxError(t.tooSmall(minimum));
  if (typeof above === "number" && number <= above) throw new SyntaxError(t.above(above));
  if (typeof maximum === "number" && number > maximum) throw new SyntaxError(t.tooLarge(maximum));
  if (typeof below === "number" && number >= below) throw new SyntaxError(t.below(below));
  return number;
}
