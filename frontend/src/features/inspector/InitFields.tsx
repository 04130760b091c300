import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { catalogueQuery } from "@/api/queries";
import type { Entry, ParameterSpec } from "@/api/types";
import { ParameterField } from "@/features/forms";
import { Explained } from "@/features/help/Explain";
import { useText } from "@/i18n";
import type { Arguments, ParameterInit, Value } from "@/model/types";
import styles from "./Inspector.module.css";

/** What of an initializer can be set: all but the tensor that it fills. */
export function initArguments(entry: Entry | undefined): ParameterSpec[] {
  const ports = new Set(entry?.inputs.map((port) => port.name));
  return entry?.parameters.filter((spec) => spec.kinds[0] !== "tensor" && !ports.has(spec.name)) ?? [];
}

const DEFAULT = "default";

/** Chooses the function that fills a parameter, and its arguments; null is torch's own initialization. */
export function InitFields(props: {
  label: string;
  value: Omit<ParameterInit, "parameter"> | null;
  onChange: (value: Omit<ParameterInit, "parameter"> | null) => void;
  /** Torch's default is offered, too. */
  optional: boolean;
  testId: string;
}) {
  const t = useText().editor.init;
  const { data } = useQuery(catalogueQuery);
  const { value } = props;
  const entries = data?.initializers ?? [];
  const entry = entries.find((it) => it.name === value?.function);
  const set = (name: string, next: Value | undefined) => {
    if (!value) return;
    const { [name]: _, ...others } = value.arguments as Arguments;
    props.onChange({ ...value, arguments: next === undefined ? others : { ...value.arguments, [name]: next } });
  };
  const unknown = value && !entry ? [{ value: value.function, label: value.function }] : [];
  return (
    <div className={styles.init} data-init={props.label}>
      <Explained card={value && entry && { name: entry.name, arguments: value.arguments }} label={entry?.label ?? ""}>
        <Select
          size="xs"
          label={props.label}
          searchable
          // What is typed replaces the name that is shown.
          onFocus={(event) => event.currentTarget.select()}
          selectFirstOptionOnChange
          data={[
            ...(props.optional ? [{ value: DEFAULT, label: t.default }] : []),
            ...unknown,
            ...entries.map((it) => ({ value: it.name, label: it.label })),
          ]}
          value={value?.function ?? DEFAULT}
          onChange={(chosen) =>
            props.onChange(
              chosen === null || chosen === DEFAULT ? null : { function: chosen, arguments: starts(entries, chosen) },
            )
          }
          styles={{ label: { fontFamily: "var(--ll-mono)", fontWeight: 400 } }}
          data-testid={props.testId}
        />
      </Explained>
      {value && initArguments(entry).length > 0 && (
        <div className={styles.initArguments}>
          {initArguments(entry).map((spec) => (
            <ParameterField
              key={`${value.function}.${spec.name}`}
              spec={spec}
              value={value.arguments[spec.name]}
              onChange={(next) => set(spec.name, next)}
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** Arguments that the function demands get a first value, so that choosing it is enough. */
function starts(entries: readonly Entry[], name: string): Arguments {
  const required = initArguments(entries.find((entry) => entry.name === name)).filter((spec) => spec.required);
  return Object.fromEntries(required.map((spec) => [spec.name, spec.default ?? 0]));
}
