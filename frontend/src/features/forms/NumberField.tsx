import { TextInput } from "@mantine/core";
import { type KeyboardEvent, useState } from "react";
import { useText } from "@/i18n";
import { useFault } from "./faults";
import { formatValue } from "./literals";
import { type NumberRange, readNumber } from "./numbers";
import { useDraft } from "./useDraft";

interface Props extends Partial<NumberRange> {
  label: string;
  description?: string | undefined;
  /** Null where none is given. */
  value: number | null;
  onChange: (value: number | null) => void;
  /** Whether it may not be left empty. */
  required?: boolean;
  /** Whether the lack of a value is wrong at present, as another field has it. */
  missing?: boolean;
  placeholder?: string;
  /** What an arrow key adds or takes away. */
  step?: number;
  error?: string | undefined;
}

/** A number with a label of its own; says what is wrong with what was typed, and keeps it in sight. */
export function NumberField(props: Props) {
  const {
    label,
    description,
    value,
    onChange,
    required = false,
    missing = false,
    placeholder,
    step = 1,
    error,
    ...limits
  } = props;
  const { whole = false } = limits;
  const t = useText().common.forms;
  const [typed, setFault] = useState<string | null>(null);
  const fault = typed ?? (missing ? t.needed : null);
  useFault(fault !== null);
  const read = (text: string) => (text.trim() === "" && !required ? null : readNumber(text, { ...limits, whole }, t));
  const draft = useDraft({
    shown: value === null ? "" : formatValue(value),
    read,
    onChange,
    onFault: setFault,
  });
  const nudge = (event: KeyboardEvent) => {
    const sign = event.key === "ArrowUp" ? 1 : event.key === "ArrowDown" ? -1 : 0;
    if (sign === 0 || value === null || fault !== null) return;
    event.preventDefault();
    const next = String(Number((value + sign * step).toPrecision(12)));
    try {
      read(next);
    } catch {
      return;
    }
    draft.type(next);
  };
  return (
    <TextInput
      label={label}
      description={description}
      placeholder={placeholder}
      value={draft.text}
      onChange={(event) => draft.type(event.currentTarget.value)}
      onBlur={draft.leave}
      onKeyDown={nudge}
      error={fault ?? error}
      inputMode={whole ? "numeric" : "decimal"}
      autoComplete="off"
      spellCheck={false}
    />
  );
}
