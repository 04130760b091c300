import { Select, TextInput } from "@mantine/core";
import { useState } from "react";
import { useFault } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import styles from "./TrainDialog.module.css";

/** Numbers that are no less than zero, two at least, between commas or spaces; null where it is anything else. */
export function readWeights(text: string): number[] | null {
  const words = text.split(/[\s,;]+/).filter((word) => word !== "");
  const numbers = words.map(Number);
  return numbers.length >= 2 && numbers.every((number) => number >= 0 && Number.isFinite(number)) ? numbers : null;
}

/** Whether classes count differently in the loss, and by which numbers. */
export function WeightsField({ settings, onChange, refused }: PartProps) {
  const t = useText().train.weights;
  const weights = settings.class_weights;
  const [text, setText] = useState(Array.isArray(weights) ? weights.join(", ") : "");
  const [given, setGiven] = useState(Array.isArray(weights));
  const wrong = given && readWeights(text) === null;
  useFault(wrong);
  const choose = (name: string | null) => {
    setGiven(name === "given");
    onChange({ class_weights: name === "balanced" ? name : name === "given" ? readWeights(text) : null });
  };
  return (
    <div className={styles.columns}>
      <Select
        label={t.label}
        data={(["none", "balanced", "given"] as const).map((value) => ({ value, label: t[value] }))}
        value={given ? "given" : weights === "balanced" ? weights : "none"}
        onChange={choose}
        error={given ? undefined : messageFor(refused, "class_weights")}
      />
      {given && (
        <TextInput
          label={t.numbers}
          placeholder="1, 2.5, 1"
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            onChange({ class_weights: readWeights(event.currentTarget.value) });
          }}
          error={wrong ? t.wrong : messageFor(refused, "class_weights")}
          autoComplete="off"
          spellCheck={false}
        />
      )}
    </div>
  );
}
