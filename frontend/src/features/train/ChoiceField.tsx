import { Select, UnstyledButton } from "@mantine/core";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useState } from "react";
import type { Choice, Entry, ParameterSpec } from "@/api/types";
import { ParameterField } from "@/features/forms";
import { useText } from "@/i18n";
import styles from "./TrainDialog.module.css";

interface Props {
  label: string;
  entries: Entry[];
  value: Choice | null;
  onChange: (value: Choice | null) => void;
  /** Text of the choice to have none; without it one is needed. */
  none?: string;
  /** Parameters that are worth seeing at once; the others are folded. */
  shown?: string[];
  /** Parameters that follow from the plan when they are not given. */
  derived?: string[];
  error?: string | undefined;
}

const NONE = "";

/** One entry of the catalogue, and below it the form of its arguments. */
export function ChoiceField({ label, entries, value, onChange, none, shown = [], derived = [], error }: Props) {
  const entry = entries.find((one) => one.name === value?.name);
  const options = entries.map((one) => ({ value: one.name, label: one.label }));
  return (
    <div className={styles.choice}>
      <Select
        size="sm"
        label={label}
        data={none === undefined ? options : [{ value: NONE, label: none }, ...options]}
        value={value?.name ?? NONE}
        onChange={(name) => onChange(name ? { name, arguments: {} } : null)}
        searchable
        error={error}
        maxDropdownHeight={260}
      />
      {entry && value && <Arguments entry={entry} value={value} onChange={onChange} shown={shown} derived={derived} />}
    </div>
  );
}

interface ArgumentsProps {
  entry: Entry;
  value: Choice;
  onChange: (value: Choice) => void;
  shown: string[];
  derived: string[];
}

function Arguments({ entry, value, onChange, shown, derived }: ArgumentsProps) {
  const t = useText().train;
  const [open, setOpen] = useState(false);
  const specs = entry.parameters.filter((spec) => !spec.kinds.includes("tensor"));
  const given = (name: string) => value.arguments[name];
  const first = (spec: ParameterSpec) =>
    shown.includes(spec.name) || (spec.required && !derived.includes(spec.name)) || given(spec.name) !== undefined;
  const rest = specs.filter((spec) => !first(spec));
  const set = (name: string, next: Choice["arguments"][string] | undefined) => {
    const { [name]: _, ...others } = value.arguments;
    onChange({ ...value, arguments: next === undefined ? others : { ...others, [name]: next } });
  };
  const field = (spec: ParameterSpec) => (
    <ParameterField
      key={spec.name}
      spec={derived.includes(spec.name) ? { ...spec, required: false } : spec}
      value={given(spec.name)}
      onChange={(next) => set(spec.name, next)}
    />
  );
  return (
    <div className={styles.arguments}>
      <div className={styles.fields}>{specs.filter(first).map(field)}</div>
      {rest.length > 0 && (
        <UnstyledButton className={styles.fold} onClick={() => setOpen(!open)} aria-expanded={open}>
          {open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
          {t.arguments} ({rest.length})
        </UnstyledButton>
      )}
      {open && <div className={styles.fields}>{rest.map(field)}</div>}
    </div>
  );
}
