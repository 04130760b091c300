import { TextInput } from "@mantine/core";
import { useState } from "react";
import { useText } from "@/i18n";
import { parseShape, shapeWritten } from "@/model/shapes";
import type { Value } from "@/model/types";

const NO_NAMES: ReadonlySet<string> = new Set();

/** A shape as text, `3, 32, 32`. What cannot be read is not taken over, and said to be so. */
export function ShapeField(props: {
  hint?: string;
  value: readonly Value[];
  /** What expressions may use; without any the sizes are numbers. */
  names?: ReadonlySet<string>;
  error?: string | undefined;
  onChange: (shape: Value[]) => void;
  testId: string;
}) {
  const t = useText().editor.inspector;
  const [draft, setDraft] = useState<string | null>(null);
  const { names = NO_NAMES } = props;
  const wrong = draft !== null && parseShape(draft, names) === null;
  return (
    <TextInput
      size="xs"
      label={t.shape}
      description={props.hint}
      placeholder={t.scalar}
      value={draft ?? shapeWritten(props.value)}
      error={wrong ? (names.size > 0 ? t.shapeBadNames([...names].join(", ")) : t.shapeBad) : props.error}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setDraft(text);
        const shape = parseShape(text, names);
        if (shape) props.onChange(shape);
      }}
      onBlur={() => setDraft(null)}
      styles={{ input: { fontFamily: "var(--ll-mono)" } }}
      spellCheck={false}
      autoComplete="off"
      data-testid={props.testId}
    />
  );
}
