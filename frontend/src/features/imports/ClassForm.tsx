import { Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ImportRequest, SourceClass, Value } from "@/api/types";
import { ParameterField } from "@/features/forms";
import { tupleItems } from "@/features/forms/modes";
import { useText } from "@/i18n";
import { parseShape } from "@/model/shapes";
import styles from "./Imports.module.css";

/** What a class is made with and given, as it is typed. */
export type Given = {
  arguments: { [name: string]: Value };
  /** Shape as text and dtype by the names of the forward's inputs. */
  inputs: { [name: string]: { shape: string; dtype: string } };
};
export const NOTHING: Given = { arguments: {}, inputs: {} };
const DTYPES = ["float32", "int64", "bool"];

type Plain = NonNullable<ImportRequest["arguments"]>[string];

/** A value as JSON and Python mean it alike; undefined for any other. */
export function plain(value: Value): Plain | undefined {
  const items = tupleItems(value);
  const whole = (it: Value) => it === null || ["boolean", "number", "string"].includes(typeof it);
  if (items) return items.every(whole) ? (items as Plain) : undefined;
  return whole(value) ? (value as Plain) : undefined;
}

/** What is sent; null while something cannot be. */
export function requestOf(source: string, cls: SourceClass, given: Given): ImportRequest | null {
  const values = Object.entries(given.arguments).filter(([name]) => cls.arguments?.some((spec) => spec.name === name));
  const passed = values.map(([name, value]) => [name, plain(value)] as const);
  const missing = cls.arguments?.some((spec) => spec.required && !(spec.name in given.arguments));
  if (missing || passed.some(([, value]) => value === undefined)) return null;
  const inputs: NonNullable<ImportRequest["inputs"]> = {};
  for (const name of cls.inputs ?? []) {
    const { shape = "", dtype = "float32" } = given.inputs[name] ?? {};
    const sizes = parseShape(shape);
    if (sizes === null) return null;
    if (shape.trim() !== "") inputs[name] = { shape: sizes as number[], dtype };
  }
  return { source, name: cls.name, arguments: Object.fromEntries(passed) as ImportRequest["arguments"], inputs };
}

/** Which class of a text is opened, what its constructor is given, and the shapes that go in. */
export function ClassForm(props: {
  classes: readonly SourceClass[];
  chosen: SourceClass | undefined;
  onChoose: (name: string) => void;
  given: Given;
  onChange: (given: Given) => void;
}) {
  const t = useText().imports.code;
  const { classes, chosen, given, onChange } = props;
  const set = (name: string, value: Value | undefined) => {
    const { [name]: _, ...rest } = given.arguments;
    onChange({ ...given, arguments: value === undefined ? rest : { ...rest, [name]: value } });
  };
  return (
    <Stack gap="md" className={styles.form}>
      <Select
        size="sm"
        label={t.cls}
        placeholder={t.noClass}
        data={classes.map((one) => one.name)}
        value={chosen?.name ?? null}
        onChange={(name) => name && props.onChoose(name)}
        disabled={classes.length === 0}
        allowDeselect={false}
        comboboxProps={{ withinPortal: true }}
        data-testid="import-class"
      />
      {chosen && (chosen.arguments ?? []).length > 0 && (
        <section aria-label={t.arguments}>
          <h3 className={styles.heading}>{t.arguments}</h3>
          {chosen.arguments?.map((spec) => {
            const value = given.arguments[spec.name];
            return (
              <ParameterField
                key={`${chosen.name}.${spec.name}`}
                spec={spec}
                value={value}
                onChange={(next) => set(spec.name, next)}
                error={value !== undefined && plain(value) === undefined ? t.argumentBad : undefined}
              />
            );
          })}
        </section>
      )}
      {chosen && (chosen.inputs ?? []).length > 0 && (
        <section aria-label={t.inputs}>
          <h3 className={styles.heading}>{t.inputs}</h3>
          <Text size="xs" c="dimmed" mb={6}>
            {t.inputsHint}
          </Text>
          {chosen.inputs?.map((name) => (
            <InputField
              key={`${chosen.name}.${name}`}
              name={name}
              value={given.inputs[name] ?? { shape: "", dtype: "float32" }}
              onChange={(value) => onChange({ ...given, inputs: { ...given.inputs, [name]: value } })}
            />
          ))}
        </section>
      )}
    </Stack>
  );
}

function InputField(props: {
  name: string;
  value: Given["inputs"][string];
  onChange: (value: Given["inputs"][string]) => void;
}) {
  const t = useText().imports.code;
  const { name, value, onChange } = props;
  const [left, setLeft] = useState(false);
  const wrong = parseShape(value.shape) === null;
  return (
    <Group gap={6} align="flex-start" wrap="nowrap" className={styles.input}>
      <span className={styles.inputName} title={name}>
        {name}
      </span>
      <TextInput
        size="xs"
        className={styles.grow}
        aria-label={t.shape(name)}
        placeholder={t.shapeExample}
        value={value.shape}
        error={wrong && left ? t.shapeBad : undefined}
        onBlur={() => setLeft(true)}
        onChange={(event) => onChange({ ...value, shape: event.currentTarget.value })}
        styles={{ input: { fontFamily: "var(--ll-mono)" } }}
        autoComplete="off"
        spellCheck={false}
      />
      <Select
        size="xs"
        w={92}
        aria-label={t.dtype(name)}
        data={DTYPES}
        value={value.dtype}
        onChange={(dtype) => onChange({ ...value, dtype: dtype ?? "float32" })}
        allowDeselect={false}
      />
    </Group>
  );
}
