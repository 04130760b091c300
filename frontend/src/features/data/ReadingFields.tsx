import { NativeSelect, Switch, Text } from "@mantine/core";
import type { Reading, TextReading } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import styles from "./Columns.module.css";

interface Props {
  reading: Reading;
  onChange: (reading: Reading) => void;
}

/** What becomes of rows that lack a value. */
export function MissingFields({ reading, onChange }: Props) {
  const t = useText().data.columns;
  return (
    <div className={styles.group}>
      <NativeSelect
        size="xs"
        label={t.missingPolicy}
        value={reading.missing}
        data={[
          { value: "drop", label: t.drop },
          { value: "mean", label: t.mean_fill },
        ]}
        onChange={({ currentTarget }) =>
          onChange({ ...reading, missing: currentTarget.value === "mean" ? "mean" : "drop" })
        }
      />
      <Text size="xs" c="dimmed">
        {t.missingHint}
      </Text>
    </div>
  );
}

/** How text becomes tokens. */
export function TextFields({ reading, onChange }: Props) {
  const t = useText().data.columns;
  const { text } = reading;
  if (text === null) return null;
  const set = (change: Partial<TextReading>) => onChange({ ...reading, text: { ...text, ...change } });
  const number = (label: string, key: "length" | "most" | "min_count", minimum: number, maximum: number) => (
    <NumberField
      label={label}
      whole
      required
      minimum={minimum}
      maximum={maximum}
      value={text[key]}
      onChange={(value) => value !== null && set({ [key]: value })}
    />
  );
  return (
    <div className={styles.group}>
      <div className={styles.fields}>
        <NativeSelect
          size="sm"
          label={t.unit}
          value={text.unit}
          data={(["character", "word"] as const).map((value) => ({ value, label: t.units[value] }))}
          onChange={({ currentTarget }) => set({ unit: currentTarget.value === "word" ? "word" : "character" })}
        />
        {number(t.length, "length", 2, 8_192)}
        {number(t.most, "most", 1, 200_000)}
        {number(t.minCount, "min_count", 1, 1_000_000)}
      </div>
      <Switch
        size="xs"
        label={t.lowercase}
        checked={text.lowercase}
        onChange={(event) => set({ lowercase: event.currentTarget.checked })}
      />
      <Text size="xs" c="dimmed">
        {t.vocabularyHint}
      </Text>
    </div>
  );
}
