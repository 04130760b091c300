import { ActionIcon, Select, Switch, TextInput, Tooltip } from "@mantine/core";
import { Link2, Unlink2 } from "lucide-react";
import type { ParameterSpec, Value } from "@/api/types";
import { useText } from "@/i18n";
import styles from "./Field.module.css";
import { formatValue, parseList, parseValue } from "./literals";
import { DTYPES, type Mode, tupleItems } from "./modes";
import { readNumber } from "./numbers";
import { useDraft } from "./useDraft";

interface ControlProps {
  id: string;
  mode: Exclude<Mode, "cases">;
  spec: ParameterSpec;
  value: Value | undefined;
  resolved: number | number[] | undefined;
  onChange: (value: Value | undefined) => void;
  /** Tells what is wrong with what was typed; null when that was dropped. */
  onInvalid: (message: string | null) => void;
  disabled: boolean;
  describedBy: string | undefined;
  placeholder: string | undefined;
}

/** The control of a mode. A mode that is added to the union fails the build until it has one. */
export function Control(props: ControlProps) {
  switch (props.mode) {
    case "bool":
      return <BoolControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} />;
    case "dtype":
      return <DtypeControl {...props} />;
    case "size":
      return <SizeControl {...props} />;
    case "auto":
    case "none":
      return <FixedControl {...props} />;
    case "int":
    case "float":
      return <NumberControl {...props} />;
    case "expression":
    case "str":
      return <PlainTextControl {...props} />;
    case "list":
    case "function":
    case "layer":
    case "tensor":
    case "any":
      return <LiteralControl {...props} />;
  }
}

const current = ({ value, spec }: ControlProps): Value => (value === undefined ? spec.default : value);

function BoolControl(props: ControlProps) {
  return (
    <Switch
      id={props.id}
      size="sm"
      checked={current(props) === true}
      onChange={(event) => props.onChange(event.currentTarget.checked)}
      disabled={props.disabled}
      label={current(props) === true ? "True" : "False"}
      aria-labelledby={`${props.id}-label`}
    />
  );
}

function ChoiceControl(props: ControlProps) {
  const options = props.spec.choices.map(formatValue);
  return (
    <Select
      id={props.id}
      size="xs"
      data={options}
      value={formatValue(current(props))}
      onChange={(chosen) => props.onChange(props.spec.choices[options.indexOf(chosen ?? "")])}
      disabled={props.disabled}
      classNames={{ input: styles.input ?? "" }}
      aria-labelledby={`${props.id}-label`}
    />
  );
}

function DtypeControl(props: ControlProps) {
  const shown = current(props);
  const name = typeof shown === "object" && shown !== null && "$dtype" in shown ? shown.$dtype : null;
  return (
    <Select
      id={props.id}
      size="xs"
      data={name === null || DTYPES.includes(name) ? DTYPES : [name, ...DTYPES]}
      value={name}
      onChange={(chosen) => props.onChange(chosen === null ? undefined : { $dtype: chosen })}
      disabled={props.disabled}
      searchable
      classNames={{ input: styles.input ?? "" }}
      aria-labelledby={`${props.id}-label`}
    />
  );
}

function FixedControl(props: ControlProps) {
  const t = useText().common.forms;
  const { resolved } = props;
  return (
    <div id={props.id} className={styles.fixed}>
      {props.mode === "none" ? (
        t.noneHint
      ) : resolved === undefined ? (
        t.autoHint
      ) : (
        <>
          {t.auto} = <b>{Array.isArray(resolved) ? `(${resolved.join(", ")})` : resolved}</b>
        </>
      )}
    </div>
  );
}

/** A text field that keeps what was typed, tells what is wrong with it, and hands on every usable value at once. */
function DraftInput(props: {
  control: ControlProps;
  shown: string;
  read: (text: string) => Value | undefined;
  id?: string;
  label?: string;
  inputMode?: "numeric" | "decimal";
}) {
  const { control, shown, read } = props;
  const draft = useDraft({ shown, read, onChange: control.onChange, onFault: control.onInvalid });
  return (
    <TextInput
      id={props.id ?? control.id}
      size="xs"
      value={draft.text}
      onChange={(event) => draft.type(event.currentTarget.value)}
      onBlur={draft.leave}
      disabled={control.disabled}
      error={control.describedBy !== undefined}
      placeholder={control.placeholder ?? shownText(control.spec.default)}
      spellCheck={false}
      autoComplete="off"
      inputMode={props.inputMode}
      classNames={{ input: styles.input ?? "" }}
      aria-describedby={control.describedBy}
      aria-label={props.label}
    />
  );
}

function useNumberReader(spec: ParameterSpec, whole: boolean) {
  const t = useText().common.forms;
  return (text: string): Value | undefined => {
    const trimmed = text.trim();
    if (trimmed === "") return undefined;
    if (!whole && /^[+-]?(inf|nan)$/i.test(trimmed)) return parseValue(trimmed.toLowerCase().replace("+", ""));
    return readNumber(trimmed, { whole, minimum: spec.minimum }, t);
  };
}

const shownText = (value: Value) => (value === null ? "" : formatValue(value));

function NumberControl(props: ControlProps) {
  const whole = props.mode === "int";
  const read = useNumberReader(props.spec, whole);
  return (
    <DraftInput
      control={props}
      shown={shownText(current(props))}
      read={read}
      inputMode={whole ? "numeric" : "decimal"}
    />
  );
}

function PlainTextControl(props: ControlProps) {
  const shown = current(props);
  const expression = props.mode === "expression";
  const plain = expression && typeof shown === "object" && shown !== null && "$expr" in shown ? shown.$expr : shown;
  return (
    <DraftInput
      control={props}
      shown={typeof plain === "string" ? plain : shownText(plain)}
      read={(text) => (expression ? { $expr: text } : text)}
    />
  );
}

function LiteralControl(props: ControlProps) {
  const t = useText().common.forms;
  const read = (text: string): Value | undefined => {
    if (text.trim() === "") return undefined;
    try {
      return props.mode === "list" ? parseList(text) : parseValue(text);
    } catch {
      throw new SyntaxError(t.badValue);
    }
  };
  return <DraftInput control={props} shown={shownText(current(props))} read={read} />;
}

/** One number for all axes, or one for each. */
function SizeControl(props: ControlProps) {
  const t = useText().common.forms;
  const read = useNumberReader(props.spec, true);
  const shown = current(props);
  const items = tupleItems(shown);
  const length = props.spec.length ?? items?.length ?? 2;
  const toggle = () => {
    const [first = 1] = items ?? [shown ?? 1];
    props.onChange(items ? first : { $tuple: Array.from({ length }, () => first) });
  };
  const setAxis = (axis: number, value: Value | undefined) => {
    if (items && value !== undefined) props.onChange({ $tuple: items.map((item, at) => (at === axis ? value : item)) });
  };
  return (
    <div className={styles.size}>
      {items ? (
        <div className={styles.axes}>
          {items.map((item, axis) => (
            <DraftInput
              // biome-ignore lint/suspicious/noArrayIndexKey: an axis is its index
              key={axis}
              control={{ ...props, onChange: (value) => setAxis(axis, value) }}
              id={axis === 0 ? props.id : `${props.id}-${axis}`}
              label={`${props.spec.name}: ${t.axis(axis)}`}
              shown={shownText(item)}
              read={read}
              inputMode="numeric"
            />
          ))}
        </div>
      ) : (
        <DraftInput control={props} shown={shownText(shown)} read={read} inputMode="numeric" />
      )}
      {(props.spec.length ?? 2) > 1 && (
        <Tooltip label={items ? t.single : t.each}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            onClick={toggle}
            disabled={props.disabled}
            aria-label={`${props.spec.name}: ${items ? t.single : t.each}`}
          >
            {items ? <Unlink2 size={14} aria-hidden /> : <Link2 size={14} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </div>
  );
}
