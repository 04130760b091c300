/** Which text field holds text that nothing has taken over yet: undo is the browser's there, and the document's elsewhere. */

const TEXT = new Set(["text", "search", "number", "email", "url", "tel", "password"]);

/** A field for text, unlike switches and choices, which are inputs by name only. */
export function isTextField(target: EventTarget | null): target is HTMLElement {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLTextAreaElement) return !target.readOnly;
  if (target instanceof HTMLInputElement) return TEXT.has(target.type) && !target.readOnly;
  return target.closest("[contenteditable=true]") !== null;
}

const textOf = (field: HTMLElement): string => ("value" in field ? String(field.value) : (field.textContent ?? ""));

/** The field that was typed in last, and what stood there before. */
let typed: { field: HTMLElement; before: string | null; touched: boolean } | null = null;

/** Whether a field holds text that was typed since it was entered, finished by Enter, or undone. */
export const isUnfinished = (target: EventTarget | null): boolean =>
  isTextField(target) && typed?.field === target && typed.touched && textOf(target) !== typed.before;

export const finishTyping = (): void => {
  typed = null;
};

/** Follows what is typed on the page. Gives back what ends that. */
export function followTyping(): () => void {
  const before = ({ target }: Event) => {
    if (isTextField(target) && !(typed?.field === target && typed.touched))
      typed = { field: target, before: textOf(target), touched: false };
  };
  const input = ({ target }: Event) => {
    if (!isTextField(target)) return;
    typed = typed?.field === target ? { ...typed, touched: true } : { field: target, before: null, touched: true };
  };
  const key = (event: KeyboardEvent) => {
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !composing && !(event.target instanceof HTMLTextAreaElement)) finishTyping();
  };
  window.addEventListener("beforeinput", before, { capture: true });
  window.addEventListener("input", input, { capture: true });
  window.addEventListener("keydown", key, { capture: true });
  window.addEventListener("focusout", finishTyping, { capture: true });
  return () => {
    window.removeEventListener("beforeinput", before, { capture: true });
    window.removeEventListener("input", input, { capture: true });
    window.removeEventListener("keydown", key, { capture: true });
    window.removeEventListener("focusout", finishTyping, { capture: true });
  };
}
