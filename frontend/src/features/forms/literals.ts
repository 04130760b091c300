import type { Value } from "@/api/types";
import { choice, isIf } from "@/model/values";

/** A value as Python writes it: `(3, 3)`, `True`, `None`, `torch.float32`, and expressions as they stand. */
export function formatValue(value: Value | undefined): string {
  if (value === undefined || value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "string") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`;
  if ("$tuple" in value) {
    const items = value.$tuple.map(formatValue);
    return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  }
  if ("$dict" in value) {
    return `{${Object.entries(value.$dict)
      .map(([key, item]) => `'${key}': ${formatValue(item)}`)
      .join(", ")}}`;
  }
  if ("$expr" in value) return value.$expr;
  if ("$auto" in value) return "auto";
  if ("$dtype" in value) return `torch.${value.$dtype}`;
  if ("$float" in value) return value.$float;
  if ("$function" in value) return value.$function;
  if ("$ellipsis" in value) return "...";
  if ("$slice" in value) {
    const parts = value.$slice.map((part) => (part === null ? "" : formatValue(part)));
    return (parts[2] === "" ? parts.slice(0, 2) : parts).join(":");
  }
  if ("$if" in value) return formatChoice(value);
  if ("$ref" in value) return [value.$ref, ...value.path.map((step) => `[${JSON.stringify(step)}]`)].join("");
  const { target, arguments: given } = value.$layer;
  const items = Object.entries(given).map(([name, item]) => `${name}=${formatValue(item)}`);
  return `${target}(${items.join(", ")})`;
}

const inside = (text: string): string => `(${text})`;

/** `a if training else b`, in brackets where the words of another choice come before the last. */
function formatChoice({ $if: test, then, else: otherwise }: Extract<Value, { $if: string }>): string {
  const yes = isIf(then) ? inside(formatValue(then)) : formatValue(then);
  return `${yes} if ${CHOICE.test(test) ? inside(test) : test} else ${formatValue(otherwise)}`;
}
const CHOICE = /\b(if|else)\b/;

/** 1e-05 and 0.0001 as Python prints them. */
function formatNumber(value: number): string {
  const small = value !== 0 && Math.abs(value) < 1e-4;
  return (small ? value.toExponential() : String(value)).replace(/e([+-])(\d)$/, "e$10$2");
}

/** @throws SyntaxError for text that is no literal. */
export function parseValue(text: string): Value {
  const reader = new Reader(text);
  const value = reader.value();
  reader.end();
  return value;
}

/** The same, for a list whose brackets were left out. @throws SyntaxError for text that is no literal. */
export function parseList(text: string): Value {
  return /^\s*[^[({'"]*,/.test(text) ? parseValue(`[${text}]`) : parseValue(text);
}

/**
 * Reads Python literals: numbers, strings, True, False, None, inf, nan, lists, tuples, dicts, torch dtypes; slices and
 * `...` as they stand in an index; and one of two by a condition, whose text is the service's to judge.
 */
class Reader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(): Value {
    const start = this.peek() === ":" ? null : this.choice();
    if (this.peek() !== ":") return start;
    const parts = [start];
    while (parts.length < 3 && this.peek() === ":") {
      this.at++;
      parts.push(/^[^,:\])}]/.test(this.peek()) ? this.choice() : null);
    }
    return { $slice: [...parts, ...Array(3 - parts.length).fill(null)] };
  }

  private choice(): Value {
    const then = this.single();
    this.space();
    if (!/^if\b/.test(this.text.slice(this.at))) return then;
    this.at += "if".length;
    const test = this.condition();
    return choice(test, then, this.choice());
  }

  /** The text up to the `else` that belongs to it. */
  private condition(): string {
    const pieces = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+|[^\w]/gy;
    pieces.lastIndex = this.at;
    let depth = 0;
    let closed = -1;
    for (let piece = pieces.exec(this.text); piece; piece = pieces.exec(this.text)) {
      const [text] = piece;
      if ("([{".includes(text)) depth++;
      if (")]}".includes(text)) depth--;
      if (depth < 0) break;
      if (depth === 0 && closed < 0 && text === ")") closed = piece.index;
      if (text !== "else" || depth > 0) continue;
      const found = this.text.slice(this.at, piece.index).trim();
      const whole = found.startsWith("(") && this.text.slice(closed + 1, piece.index).trim() === "";
      if (found === "") break;
      this.at = pieces.lastIndex;
      // The brackets are those that were put around it for the sake of its own words.
      return whole && CHOICE.test(found) ? found.slice(1, -1) : found;
    }
    throw new SyntaxError('Expected a condition and "else"');
  }

  private single(): Value {
    this.space();
    const open = this.text[this.at];
    if (open === "[") return this.items("[", "]").items;
    if (open === "(") return this.parenthesis();
    if (open === "{") return this.mapping();
    if (open === "'" || open === '"') return this.string();
    return this.word();
  }

  end() {
    this.space();
    if (this.at < this.text.length) throw new SyntaxError(`Unexpected "${this.text.slice(this.at)}"`);
  }

  private space() {
    while (/\s/.test(this.text[this.at] ?? "")) this.at++;
  }

  private take(expected: string) {
    this.space();
    if (this.text[this.at] !== expected) throw new SyntaxError(`Expected "${expected}"`);
    this.at++;
  }

  private peek(): string {
    this.space();
    return this.text[this.at] ?? "";
  }

  private items(open: string, close: string): { items: Value[]; comma: boolean } {
    this.take(open);
    const items: Value[] = [];
    let comma = false;
    while (this.peek() !== close) {
      items.push(this.value());
      comma = this.peek() === ",";
      if (!comma) break;
      this.at++;
    }
    this.take(close);
    return { items, comma };
  }

  private parenthesis(): Value {
    const { items, comma } = this.items("(", ")");
    const [only] = items;
    return items.length === 1 && !comma && only !== undefined ? only : { $tuple: items };
  }

  /** A torch dtype, a function by its full name, or a layer with its arguments by name. */
  private dotted(word: string): Value {
    if (this.peek() === "(") return { $layer: { target: word, arguments: this.keywords() } };
    return /^torch\.[a-z]+\d*$/.test(word) ? { $dtype: word.slice(6) } : { $function: word };
  }

  private keywords(): Record<string, Value> {
    this.take("(");
    const given: [string, Value][] = [];
    while (this.peek() !== ")") {
      const [name = ""] = /^\w+(?=\s*=)/.exec(this.text.slice(this.at)) ?? [];
      if (name === "") throw new SyntaxError("Arguments are given by name");
      this.at += name.length;
      this.take("=");
      given.push([name, this.value()]);
      if (this.peek() !== ",") break;
      this.at++;
    }
    this.take(")");
    return Object.fromEntries(given);
  }

  private mapping(): Value {
    this.take("{");
    const entries: [string, Value][] = [];
    while (this.peek() !== "}") {
      const key = this.string();
      this.take(":");
      entries.push([key, this.value()]);
      if (this.peek() !== ",") break;
      this.at++;
    }
    this.take("}");
    return { $dict: Object.fromEntries(entries) };
  }

  private string(): string {
    const quote = this.peek();
    if (quote !== "'" && quote !== '"') throw new SyntaxError("Expected a quoted text");
    let result = "";
    for (this.at++; this.at < this.text.length; this.at++) {
      const letter = this.text[this.at] as string;
      if (letter === quote) {
        this.at++;
        return result;
      }
      result += letter === "\\" ? this.text[++this.at] : letter;
    }
    throw new SyntaxError("A quote is not closed");
  }

  private word(): Value {
    const match = /^[^\s,:=()[\]{}'"]+/.exec(this.text.slice(this.at));
    if (match === null) throw new SyntaxError("Expected a value");
    const [word] = match;
    this.at += word.length;
    if (word in WORDS) return WORDS[word] as Value;
    if (/^[a-z]\w*\./i.test(word)) return this.dotted(word);
    if (!/^[+-]?(\d[\d_]*)?(\.\d*)?(e[+-]?\d+)?$/i.test(word)) throw new SyntaxError(`Unknown word "${word}"`);
    const number = Number(word.replaceAll("_", ""));
    if (!Number.isFinite(number)) throw new SyntaxError(`"${word}" is out of range`);
    return number;
  }
}

const WORDS: Record<string, Value> = {
  None: null,
  True: true,
  False: false,
  inf: { $float: "inf" },
  "-inf": { $float: "-inf" },
  nan: { $float: "nan" },
  "...": { $ellipsis: true },
};
