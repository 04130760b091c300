import { TextInput } from "@mantine/core";
import { useState } from "react";

/** A name that is taken over when it is finished: with Enter or on leaving the field. A refused one says why and stays open. */
export function NameField(props: {
  label: string;
  value: string;
  /** Why a name may not be given; null when it may. */
  refuse: (name: string) => string | null;
  onRename: (name: string) => void;
  disabled?: boolean;
  hint?: string;
  testId?: string;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  const shown = draft ?? props.value;
  const wrong = draft !== null && draft !== props.value ? props.refuse(draft) : null;
  const commit = () => {
    if (draft !== null && draft !== props.value && wrong === null) props.onRename(draft);
    setDraft(null);
  };
  return (
    <TextInput
      size="xs"
      label={props.label}
      description={props.hint}
      value={shown}
      error={wrong}
      disabled={props.disabled ?? false}
      data-testid={props.testId}
      styles={{ input: { fontFamily: "var(--ll-mono)" } }}
      spellCheck={false}
      autoComplete="off"
      onChange={(event) => setDraft(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return;
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setDraft(null);
      }}
    />
  );
}
