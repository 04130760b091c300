import { createContext, useContext, useEffect, useId } from "react";

/** What the fields of a form tell it. Without one, as in the inspector, every usable value is taken at once. */
export interface FormState {
  /** Notes that something is wrong in a field, or no longer. */
  note: (field: string, wrong: boolean) => void;
  /** Whether it was tried to send the form while something was wrong. */
  held: boolean;
}

export const FormContext = createContext<FormState | null>(null);

/** Keeps the form around from being sent while something is wrong in this field. */
export function useFault(wrong: boolean): FormState | null {
  const form = useContext(FormContext);
  const note = form?.note;
  const field = useId();
  useEffect(() => {
    note?.(field, wrong);
    return () => note?.(field, false);
  }, [note, field, wrong]);
  return form;
}
