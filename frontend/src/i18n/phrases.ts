/**
 * What the service says, in the reader's language.
 *
 * The service speaks English, in sentences with values put in. A language has its translation of each, with the same
 * holes: `{}` in their order, `{1}` by number, and `{1:word}` where the value is itself a word of the service's
 * ("layer", "optimizer"), not a name that somebody chose. A sentence of several is read as the whole that leaves the
 * least of it in English: torch's own words, which are quoted, stay.
 */
export interface Phrasebook {
  phrases: Record<string, string>;
  /** Single words that are put into sentences. */
  words: Record<string, string>;
  /** What a sentence or a part of one ends with. */
  marks: Record<string, string>;
}

interface Known {
  /** What stands before, between and behind the holes. */
  literals: string[];
  translation: string;
  /** Letters that it says itself. */
  own: number;
}

interface Reading {
  text: string;
  /** Letters that are left in English. */
  left: number;
}

const MOST_REMEMBERED = 2_000;
/** Parts of one text that are tried together. Longer ones are torch's, or a log's. */
const MOST_PARTS = 16;
const HOLE = /\{(\d*)(:word)?\}/g;
const ENGLISH = /[A-Za-z]+/g;
const MARK = /[.:;,]$/;
/** A translation keeps Latin names apart with blanks; where a word of its own script has come there, they are too many. */
const LOOSE = /(?<=[\p{Script=Han}，。；：、]) +(?=[\p{Script=Han}，。；：、])/gu;

/** Behind these no blank is needed. */
const ASIDE = /[，。；：、]$/;
/** What somebody has said, and no name. */
const TWO_WORDS = /[A-Za-z']{2,} [A-Za-z']{2,}/;
/** The same at the end of a text. */
const QUOTE = /[A-Za-z']{2,} [A-Za-z']+$/;
const BETWEEN = / (or|and) /;
/** Letters of a phrase that says little itself. */
const LITTLE = 6;
const NOTHING: Reading = { text: "", left: 0 };

/** A function that translates, or gives null where it knows no part of what was said. */
export function reader(book: Phrasebook): (english: string) => string | null {
  // Of two that leave as much in English, the one that says more itself.
  const known: Known[] = Object.entries(book.phrases)
    .map(([english, translation]) => ({
      literals: english.trim().replace(MARK, "").split("{}"),
      translation: withoutMark(translation.trim(), Object.values(book.marks)),
      own: letters(english),
    }))
    .sort((one, other) => other.own - one.own || other.literals.join("").length - one.literals.join("").length);
  const remembered = new Map<string, Reading>();

  function read(english: string): Reading {
    const before = remembered.get(english);
    if (before !== undefined) return before;
    const found = [whole(english), inParts(english), listed(english)].reduce<Reading>(
      (best, reading) => (reading !== null && reading.left < best.left ? reading : best),
      { text: english, left: letters(english) },
    );
    if (remembered.size >= MOST_REMEMBERED) remembered.clear();
    remembered.set(english, found);
    return found;
  }

  function whole(english: string): Reading | null {
    const mark = MARK.exec(english)?.[0] ?? "";
    const body = english.slice(0, english.length - mark.length);
    let best: Reading | null = null;
    for (const { literals, translation, own } of known) {
      const values = valuesIn(body, literals) ?? (mark === "" ? null : valuesIn(english, literals));
      if (values === null) continue;
      // "{} of {}" would find something in any sentence of torch's.
      if (own < LITTLE && !values.every(isName)) continue;
      const reading = filled(translation, values);
      if (best === null || reading.left < best.left) best = reading;
    }
    if (best === null || best.left >= letters(english)) return null;
    // What is quoted keeps its own marks, but for the end of the sentence that quotes it.
    const end = mark !== "." && QUOTE.test(best.text) ? mark : (book.marks[mark] ?? mark);
    return best.text.endsWith(end) ? best : { ...best, text: best.text + end };
  }

  function filled(translation: string, values: string[]): Reading {
    let left = 0;
    let next = 0;
    const text = translation.replace(HOLE, (_, number: string, word?: string) => {
      const value = (values[number === "" ? next++ : Number(number)] ?? "").trim();
      const known = word === undefined ? null : worded(value);
      if (known !== null) return known;
      const reading = /\s/.test(value) ? read(value) : { text: value, left: letters(value) };
      // A hole that holds whole sentences takes what may be said beside it.
      left += reading.left + (/[.:;!?] /.test(value) ? 1 : 0);
      return reading.text;
    });
    return { text: text.replaceAll(LOOSE, ""), left };
  }

  /** "a list or a layer": what is put together of words that are known. */
  function worded(value: string): string | null {
    const parts = value.split(BETWEEN).map((part) => {
      const word = book.words[part.toLowerCase()];
      if (word !== undefined) return word;
      const said = whole(part);
      return said?.left === 0 ? said.text : undefined;
    });
    return parts.includes(undefined) ? null : parts.join("");
  }

  /** "a, b and c": names, with a word between them. */
  function listed(english: string): Reading | null {
    const parts = english.split(BETWEEN);
    if (parts.length === 1 || parts.some((part) => /\s/.test(part))) return null;
    const text = parts.map((part, at) => (at % 2 === 0 ? part : book.words[part])).join(" ");
    return { text, left: letters(parts.filter((_, at) => at % 2 === 0).join(" ")) };
  }

  /** Sentence by sentence and clause by clause, those together that are said best together. */
  function inParts(english: string): Reading | null {
    const parts = english.split(/(?<=[.;:!?,])\s+/);
    if (parts.length === 1 || parts.length > MOST_PARTS) return null;
    // The best reading of all parts from each on, the last first.
    const rest: Reading[] = [{ text: "", left: 0 }];
    for (let from = parts.length - 1; from >= 0; from--) {
      let best = joined(untouched(parts[from] ?? ""), rest[0] ?? NOTHING);
      // Of readings that leave as much, the one that takes most together.
      for (let to = from + 1; to <= parts.length - (from === 0 ? 1 : 0); to++) {
        const said = whole(parts.slice(from, to).join(" "));
        const reading = said && joined(said, rest[to - from - 1] ?? NOTHING);
        if (reading && reading.left <= best.left) best = reading;
      }
      rest.unshift(best);
    }
    return rest[0] ?? null;
  }

  /** What is not known, with the marks of the language where it is a name or a number. */
  function untouched(english: string): Reading {
    const mark = /\s/.test(english) ? "" : (MARK.exec(english)?.[0] ?? "");
    const marked = english.slice(0, english.length - mark.length) + (book.marks[mark] ?? mark);
    return { text: marked, left: letters(english) };
  }

  /** Whether a value is one word, with something in brackets at most, or a phrase that is known. */
  function isName(value: string): boolean {
    const name = value.trim();
    if (/^\S*( \([^()]*\))?$/.test(name)) return true;
    const { text } = read(name);
    return text !== name && !TWO_WORDS.test(text);
  }

  return (english) => {
    const { text, left } = read(english.trim());
    return left < letters(english) ? text : null;
  };
}

const joined = (one: Reading, rest: Reading): Reading => ({
  text: one.text + (ASIDE.test(one.text) || rest.text === "" ? "" : " ") + rest.text,
  left: one.left + rest.left,
});

const letters = (text: string) => (text.match(ENGLISH) ?? []).reduce((sum, word) => sum + word.length, 0);

function withoutMark(text: string, marks: readonly string[]): string {
  const mark = marks.find((one) => text.endsWith(one));
  return mark === undefined ? text : text.slice(0, -mark.length);
}

/** What stands in the holes of a text; null where the text is another. */
function valuesIn(text: string, literals: readonly string[]): string[] | null {
  const [first = "", ...rest] = literals;
  if (!beginsWith(text, first)) return null;
  const last = rest.pop();
  if (last === undefined) return text.length === first.length ? [] : null;
  const values: string[] = [];
  let at = first.length;
  for (const literal of rest) {
    let found = text.indexOf(literal, at);
    // A sentence's end, and no dot within a name.
    while (/(^|\S)\.$/.test(literal) && found >= 0 && /\S/.test(text.charAt(found + literal.length)))
      found = text.indexOf(literal, found + 1);
    if (found < 0) return null;
    values.push(text.slice(at, found));
    at = found + literal.length;
  }
  if (!text.endsWith(last) || text.length - last.length < at) return null;
  return [...values, text.slice(at, text.length - last.length)];
}

/** A sentence begins with a capital where it is a whole one, and with none where it is part of another. */
function beginsWith(text: string, start: string): boolean {
  return (
    text.slice(1).startsWith(start.slice(1)) &&
    (start === "" || text.charAt(0).toLowerCase() === start.charAt(0).toLowerCase())
  );
}
