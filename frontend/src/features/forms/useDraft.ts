import { useContext, useState } from "react";
import { FormContext } from "./faults";

interface Options<T> {
  /** The value that holds, as text. */
  shown: string;
  /** @throws SyntaxError that says what is wrong. */
  read: (text: string) => T;
  onChange: (value: T) => void;
  /** Tells what is wrong with what was typed; null when nothing is, any more. */
  onFault: (message: string | null) => void;
}

/** What is being typed into a field. Every usable value is handed on at once, so that a text stays as it was typed. */
export function useDraft<T>({ shown, read, onChange, onFault }: Options<T>) {
  const inForm = useContext(FormContext) !== null;
  const [draft, setDraft] = useState<{ text: string; usable: boolean } | null>(null);
  const type = (text: string) => {
    try {
      onChange(read(text));
      setDraft({ text, usable: true });
      onFault(null);
    } catch (error) {
      setDraft({ text, usable: false });
      onFault(error instanceof Error ? error.message : String(error));
    }
  };
  const leave = () => {
    // A form is sent later: there, nothing may silently become what it was before.
    if (inForm && draft?.usable === false) return;
    // What is shown again is the value that holds, and nothing is wrong with that.
    setDraft(null);
    onFault(null);
  };
  return { text: draft?.text ?? shown, type, leave };
}
