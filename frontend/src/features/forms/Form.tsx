import { type FormEvent, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { FormContext } from "./faults";

interface Props {
  onSend: () => void;
  /** Called instead, when something is wrong in a field. */
  onHeld?: () => void;
  /** Why what was sent came back; a new one moves the focus to its field. */
  refusal: unknown;
  children: ReactNode;
}

const WRONG = '[aria-invalid="true"]';

/** A form that is sent as a whole. What is wrong in a field stays in sight, and holds the form until it is mended. */
export function Form({ onSend, onHeld, refusal, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const wrong = useRef(new Set<string>());
  const [held, setHeld] = useState(0);
  const note = useCallback((field: string, is: boolean) => {
    if (is) wrong.current.add(field);
    else wrong.current.delete(field);
  }, []);
  const state = useMemo(() => ({ note, held: held > 0 }), [note, held]);
  const focusWrong = useCallback(() => form.current?.querySelector<HTMLElement>(WRONG)?.focus(), []);
  // After the fields have been marked, and those that were folded away are shown.
  useEffect(() => {
    if (held > 0) focusWrong();
  }, [held, focusWrong]);
  useEffect(() => {
    if (refusal) focusWrong();
  }, [refusal, focusWrong]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wrong.current.size > 0) {
      onHeld?.();
      return setHeld((times) => times + 1);
    }
    // A field that appears later is not blamed before the next try.
    setHeld(0);
    onSend();
  };
  return (
    <FormContext value={state}>
      <form ref={form} onSubmit={submit} noValidate>
        {children}
      </form>
    </FormContext>
  );
}
