import { Select } from "@mantine/core";
import type { ReactNode } from "react";
import type { Choice, Entry } from "@/api/types";
import { Explained } from "@/features/help/Explain";
import { Arguments, editable } from "./Arguments";
import { messageBeside, messageFor, type Refused } from "./problems";
import styles from "./TrainDialog.module.css";

interface Props {
  label: string;
  entries: Entry[];
  value: Choice | null;
  onChange: (value: Choice | null) => void;
  /** Where the choice stands in the plan. */
  field: string;
  refused: Refused;
  /** Text of the choice to have none; without it one is needed. */
  none?: string;
  /** A line about what is chosen. */
  hint?: string | undefined;
  shown?: string[];
  derived?: string[];
  /** What else can be done with an argument, by its name. */
  tools?: Record<string, ReactNode>;
}

const NONE = "";

/** One entry of the catalogue, and below it the form of its arguments. */
export function ChoiceField(props: Props) {
  const { label, entries, value, onChange, field, refused, none, hint, shown, derived, tools } = props;
  const entry = entries.find((one) => one.name === value?.name);
  const options = entries.map((one) => ({ value: one.name, label: one.label }));
  const fields = entry ? editable(entry).map((spec) => `${field}.arguments.${spec.name}`) : [];
  return (
    <div className={styles.choice}>
      <Explained card={entry && value && { name: entry.name, arguments: value.arguments }} label={entry?.label ?? ""}>
        <Select
          size="sm"
          label={label}
          data={none === undefined ? options : [{ value: NONE, label: none }, ...options]}
          value={value?.name ?? NONE}
          onChange={(name) => onChange(name ? { name, arguments: {} } : null)}
          searchable
          // The focus goes to what is wrong, and the list would cover what is said of it.
          openOnFocus={false}
          error={messageBeside(refused, field, fields)}
          maxDropdownHeight={260}
        />
      </Explained>
      {hint && <p className={styles.hint}>{hint}</p>}
      {entry && value && (
        <Arguments
          // Another entry's parameters are others, even where they have the same name.
          key={entry.name}
          entry={entry}
          value={value}
          onChange={onChange}
          errorOf={(argument) => messageFor(refused, `${field}.arguments.${argument}`)}
          {...(shown && { shown })}
          {...(derived && { derived })}
          {...(tools && { tools })}
        />
      )}
    </div>
  );
}
