import { type ChangeEvent, type KeyboardEvent, useRef, useState } from "react";
import { neighbour } from "./roam";

/**
 * A search field and what it finds below it, by keyboard: arrow keys go from the field to the cards and among them, Enter
 * in the field takes the first. `cards` selects them; `takeFirst` is called only where something was typed.
 */
export function useRoaming(cards: string, takeFirst: () => void) {
  const [query, setQuery] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const all = () => [...(list.current?.querySelectorAll<HTMLElement>(cards) ?? [])];
  const fromField = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && query.trim()) takeFirst();
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    all()[0]?.focus();
  };
  const fromCard = (event: KeyboardEvent) => {
    const next = neighbour(all(), event.target as HTMLElement, event.key);
    if (next === null) return;
    event.preventDefault();
    (next ?? field.current)?.focus();
  };
  const onChange = (event: ChangeEvent<HTMLInputElement>) => setQuery(event.currentTarget.value);
  const clear = () => setQuery("");
  return { query, clear, list, fromCard, field: { ref: field, value: query, onChange, onKeyDown: fromField } };
}
