import { ActionIcon, Menu, Tooltip, UnstyledButton } from "@mantine/core";
import { ChevronDown, RotateCcw } from "lucide-react";
import { type ReactNode, useId, useState } from "react";
import type { ParameterSpec, Value } from "@/api/types";
import { useText } from "@/i18n";
import { isIf, isRef, negated, refsIn } from "@/model/values";
import { whileText } from "./conditions";
import { Control } from "./controls";
import styles from "./Field.module.css";
import { useFault } from "./faults";
import { formatValue } from "./literals";
import { isChanged, type Mode, modeOf, modesOf, nextValue, same, shows } from "./modes";
import type { ParameterFieldProps } from "./ParameterField";

/** Name, control, and below it what is wrong. */
export function Field(props: ParameterFieldProps) {
  const {
    spec,
    value,
    onChange,
    error,
    resolved,
    expressions = false,
    cases = false,
    disabled = false,
    placeholder,
    tool,
  } = props;
  const t = useText().common.forms;
  const id = useId();
  const [chosen, setChosen] = useState<Mode | null>(null);
  // While somebody types, an empty or half-written value does not take the control away from under the cursor.
  const [held, setHeld] = useState<Mode | null>(null);
  const [invalid, setInvalid] = useState<string | null>(null);
  const [resets, setResets] = useState(0);
  // An undo may have put a value here that the chosen mode cannot show.
  if (chosen !== null && !shows(chosen, spec, value)) setChosen(null);
  const mode = held ?? chosen ?? modeOf(spec, value);
  const modes = modesOf(spec, expressions, cases);
  const changed = isChanged(spec, value);
  const missing = spec.required && value === undefined && invalid === null;
  const form = useFault(invalid !== null || missing);

  const change = (next: Value | undefined) => {
    setInvalid(null);
    onChange(next !== undefined && !spec.required && same(next, spec.default) ? undefined : next);
  };
  const choose = (next: Mode) => {
    setHeld(null);
    setChosen(next);
    change(nextValue(spec, next, value, resolved));
  };
  const reset = () => {
    setHeld(null);
    setChosen(null);
    setResets(resets + 1);
    change(undefined);
  };
  const message = invalid ?? error ?? (missing && form?.held ? t.required : undefined);

  return (
    <div
      className={styles.field}
      data-changed={changed || undefined}
      data-parameter={spec.name}
      title={changed ? t.changed : undefined}
    >
      <div className={styles.head}>
        <ParameterName id={id} spec={spec} marked={spec.required && form !== null} />
        {changed && <ResetButton spec={spec} onReset={reset} disabled={disabled} />}
        {tool}
        {modes.length > 1 && (
          <ModeMenu name={spec.name} mode={mode} modes={modes} onChoose={choose} disabled={disabled} />
        )}
      </div>
      {mode === "cases" ? (
        <Cases {...props} id={id} />
      ) : (
        <ControlPlace onEnter={() => setHeld(mode)} onLeave={() => setHeld(null)}>
          <Control
            // A new mode is a new control: no draft of the old one survives. Nor does one survive a reset.
            key={`${mode} ${resets}`}
            id={id}
            mode={mode}
            spec={spec}
            value={value}
            resolved={resolved}
            onChange={change}
            onInvalid={setInvalid}
            disabled={disabled}
            describedBy={message ? `${id}-message` : undefined}
            placeholder={placeholder}
          />
        </ControlPlace>
      )}
      {message && (
        <div id={`${id}-message`} className={styles.error} role="alert">
          {message}
        </div>
      )}
      {missing && !message && <div className={styles.hint}>{t.required}</div>}
    </div>
  );
}

/** A field for each of two values, and for the condition that chooses, where that is another one than training. */
function Cases(props: ParameterFieldProps & { id: string }) {
  const t = useText().editor.conditions;
  const { id, spec, onChange } = props;
  const value = props.value === undefined ? spec.default : props.value;
  if (!isIf(value)) return null;
  const during = whileText(value.$if, t);
  const set = (branch: "then" | "else", next: Value) => onChange({ ...value, [branch]: next });
  return (
    <fieldset id={id} className={styles.cases} aria-labelledby={`${id}-label`}>
      {during === null && (
        <Field
          spec={{ ...spec, ...TEST, name: t.test }}
          value={value.$if}
          onChange={(test) => typeof test === "string" && test.trim() !== "" && onChange({ ...value, $if: test })}
          disabled={props.disabled}
        />
      )}
      {(["then", "else"] as const).map((branch) => {
        const its = value[branch];
        const name = branch === "else" ? (whileText(negated(value.$if), t) ?? t.otherwise) : (during ?? t.holds);
        if (refsIn(its).length > 0 && !isIf(its))
          return <Connected key={branch} name={name} value={its} sourceName={props.sourceName} />;
        return (
          <Field
            {...props}
            cases={false}
            key={branch}
            // What a case is back at is the default of the whole.
            spec={{ ...spec, name, doc: "", required: true }}
            value={its}
            onChange={(next) => set(branch, next === undefined ? spec.default : next)}
            error={undefined}
          />
        );
      })}
    </fieldset>
  );
}
const TEST = { kinds: ["str" as const], required: true, nullable: false, auto: false, doc: "" };

/** A value that comes from a node: it is changed where the nodes are connected. */
function Connected(props: Pick<ParameterFieldProps, "sourceName"> & { name: string; value: Value }) {
  const t = useText().editor.conditions;
  const { name, value, sourceName = (id) => id } = props;
  const text = isRef(value) ? t.from([sourceName(value.$ref), ...value.path].join(".")) : formatValue(value);
  return (
    <div className={styles.field} data-parameter={name}>
      <div className={styles.head}>
        <span className={styles.name}>{name}</span>
      </div>
      <div className={styles.fixed}>{text}</div>
    </div>
  );
}

/** Tells when the focus enters the control, and when it leaves it altogether. */
function ControlPlace(props: { onEnter: () => void; onLeave: () => void; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only watches the focus of what it holds
    <div
      onFocus={props.onEnter}
      onBlur={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget)) props.onLeave();
      }}
    >
      {props.children}
    </div>
  );
}

/** @param props.marked whether it is said at once that it must be given. */
function ParameterName({ id, spec, marked }: { id: string; spec: ParameterSpec; marked: boolean }) {
  const label = (
    <label id={`${id}-label`} htmlFor={id} className={styles.name}>
      {spec.name}
      {marked && (
        <span className={styles.required} aria-hidden="true">
          {" *"}
        </span>
      )}
    </label>
  );
  return spec.doc ? <Tooltip label={<span lang="en">{spec.doc}</span>}>{label}</Tooltip> : label;
}

function ResetButton({ spec, onReset, disabled }: { spec: ParameterSpec; onReset: () => void; disabled: boolean }) {
  const t = useText().common;
  const label = `${t.actions.reset}: ${formatValue(spec.default)}`;
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        size="xs"
        color="gray"
        aria-label={`${spec.name}: ${label}`}
        onClick={onReset}
        disabled={disabled}
      >
        <RotateCcw size={12} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

function ModeMenu(props: {
  name: string;
  mode: Mode;
  modes: Mode[];
  onChoose: (mode: Mode) => void;
  disabled: boolean;
}) {
  const t = useText().common.forms;
  return (
    <Menu position="bottom-end" shadow="md" disabled={props.disabled}>
      <Menu.Target>
        <UnstyledButton className={styles.mode} aria-label={`${props.name}: ${t.mode}: ${t.modes[props.mode]}`}>
          {t.modes[props.mode]}
          <ChevronDown size={11} aria-hidden />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {props.modes.map((mode) => (
          <Menu.Item key={mode} onClick={() => props.onChoose(mode)}>
            {t.modes[mode]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
