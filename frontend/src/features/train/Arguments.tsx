import { UnstyledButton } from "@mantine/core";
import { ChevronDown, ChevronRight } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { Choice, Entry, ParameterSpec } from "@/api/types";
import { ParameterField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import styles from "./TrainDialog.module.css";

interface Props {
  entry: Entry;
  value: Choice;
  onChange: (value: Choice) => void;
  /** Parameters that are worth seeing at once; the others are folded. */
  shown?: string[];
  /** Parameters that follow from the plan when they are not given. */
  derived?: string[];
  /** What else can be done with a value, by its parameter. */
  tools?: Record<string, ReactNode>;
  /** What is wrong with an argument, in words. */
  errorOf: (argument: string) => string | undefined;
}

/** Usual values where torch has no default; only to show what is meant. */
const EXAMPLES: Record<string, string> = {
  step_size: "10",
  gamma: "0.95",
  milestones: "[10, 20]",
  T_0: "10",
  base_lr: "0.0001",
  max_lr: "0.01",
  beta: "1.0",
  p: "2",
  threshold: "0.5",
};

/** Parameters that a person can give: tensors and what the data decide are none. */
export const editable = (entry: Entry): ParameterSpec[] =>
  entry.parameters.filter((spec) => !spec.kinds.includes("tensor") && !spec.auto);

/** The form of an entry's arguments: those that matter, and the others folded. */
export function Arguments({ entry, value, onChange, shown = [], derived = [], tools = {}, errorOf }: Props) {
  const t = useText().train;
  const [open, setOpen] = useState(false);
  // As it was at first: a field must not move away from under the cursor when its argument is given.
  const [given] = useState(() => new Set(Object.keys(value.arguments)));
  const specs = editable(entry);
  const needed = (spec: ParameterSpec) => spec.required && !derived.includes(spec.name);
  const first = (spec: ParameterSpec) => shown.includes(spec.name) || needed(spec) || given.has(spec.name);
  const rest = specs.filter((spec) => !first(spec));
  const opened = open || rest.some((spec) => errorOf(spec.name) !== undefined);
  const set = (name: string, next: Choice["arguments"][string] | undefined) => {
    const { [name]: _, ...others } = value.arguments;
    onChange({ ...value, arguments: next === undefined ? others : { ...others, [name]: next } });
  };
  const placeholder = ({ name, default: preset }: ParameterSpec) => {
    if (derived.includes(name)) return t.fromThePlan;
    const example = EXAMPLES[name];
    return preset === null && example !== undefined ? t.example(example) : undefined;
  };
  const field = (spec: ParameterSpec) => (
    <ParameterField
      key={spec.name}
      spec={{ ...spec, required: needed(spec) }}
      value={value.arguments[spec.name]}
      onChange={(next) => set(spec.name, next)}
      error={errorOf(spec.name)}
      placeholder={placeholder(spec)}
      tool={tools[spec.name]}
    />
  );
  return (
    <div className={styles.arguments}>
      <div className={styles.fields}>{specs.filter(first).map(field)}</div>
      {rest.length > 0 && (
        <UnstyledButton className={styles.fold} onClick={() => setOpen(!opened)} aria-expanded={opened}>
          {opened ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
          {t.arguments} ({rest.length})
        </UnstyledButton>
      )}
      {rest.length > 0 && (
        <div className={styles.fields} hidden={!opened}>
          {rest.map(field)}
        </div>
      )}
    </div>
  );
}
