import { ActionIcon, Button, MultiSelect, SegmentedControl, TagsInput, TextInput, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { catalogueQuery } from "@/api/queries";
import { InitFields } from "@/features/inspector/InitFields";
import { useText } from "@/i18n";
import { setFrozen, setRules } from "@/model/edit";
import { apply, useDoc } from "@/model/store";
import type { InitRule, ParameterInit } from "@/model/types";
import styles from "./Rules.module.css";

const NEW_STATEMENT: ParameterInit = { parameter: "weight", function: "torch.nn.init.kaiming_normal_", arguments: {} };
const NEW_RULE: InitRule = { types: [], name: "*", order: "parameters", statements: [NEW_STATEMENT] };

/** Initializers for many layers at once, by type and name, and which parameters do not train. */
export function RulesPanel() {
  const { editor: t } = useText();
  const doc = useDoc();
  const put = (rules: InitRule[], key?: string) =>
    apply(
      ({ editor: t }) => t.steps.rules,
      (it) => setRules(it, rules),
      key === undefined ? undefined : `rules.${key}`,
    );
  const change = (index: number, part: Partial<InitRule>, key?: string) =>
    put(
      doc.init.map((rule, at) => (at === index ? { ...rule, ...part } : rule)),
      key && `${index}.${key}`,
    );
  const move = (from: number, to: number) => {
    const rest = doc.init.filter((_, at) => at !== from);
    const rule = doc.init[from];
    if (rule) put([...rest.slice(0, to), rule, ...rest.slice(to)]);
  };
  return (
    <div className={styles.panel} data-testid="rules">
      <p className={styles.intro}>{t.rules.intro}</p>
      {doc.init.map((rule, index) => (
        <Rule
          // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place in the order
          key={index}
          rule={rule}
          number={index + 1}
          onChange={(part, key) => change(index, part, key)}
          onRemove={() => put(doc.init.filter((_, at) => at !== index))}
          onUp={index > 0 ? () => move(index, index - 1) : null}
          onDown={index < doc.init.length - 1 ? () => move(index, index + 1) : null}
        />
      ))}
      <Button
        size="xs"
        variant="light"
        className={styles.add}
        leftSection={<Plus size={14} aria-hidden />}
        onClick={() => put([...doc.init, NEW_RULE])}
        data-testid="add-rule"
      >
        {t.rules.add}
      </Button>
      <TagsInput
        size="xs"
        label={t.rules.frozen}
        description={t.rules.frozenHint}
        placeholder="features.*"
        value={doc.frozen}
        onChange={(frozen) =>
          apply(
            ({ editor: t }) => t.steps.set("frozen"),
            (it) => setFrozen(it, frozen),
          )
        }
        className={styles.frozen}
        data-testid="frozen"
      />
    </div>
  );
}

function Rule(props: {
  rule: InitRule;
  number: number;
  onChange: (part: Partial<InitRule>, key?: string) => void;
  onRemove: () => void;
  onUp: (() => void) | null;
  onDown: (() => void) | null;
}) {
  const { editor: t } = useText();
  const { data } = useQuery(catalogueQuery);
  const { rule } = props;
  const types = data?.layers.filter((entry) => entry.tensors.length > 0) ?? [];
  const known = types.map((entry) => ({ value: entry.name, label: entry.label }));
  const others = rule.types
    .filter((name) => !known.some((it) => it.value === name))
    .map((name) => ({ value: name, label: name }));
  const statement = (index: number, part: Partial<ParameterInit>, key: string) =>
    props.onChange({ statements: rule.statements.map((it, at) => (at === index ? { ...it, ...part } : it)) }, key);
  return (
    <fieldset className={styles.rule}>
      <legend className={styles.legend}>{t.rules.rule(props.number)}</legend>
      <div className={styles.tools}>
        <Tool label={t.items.up(t.rules.rule(props.number))} run={props.onUp} Icon={ArrowUp} />
        <Tool label={t.items.down(t.rules.rule(props.number))} run={props.onDown} Icon={ArrowDown} />
        <Tool label={t.items.remove(t.rules.rule(props.number))} run={props.onRemove} Icon={Trash2} />
      </div>
      <div className={styles.where}>
        <MultiSelect
          size="xs"
          label={t.rules.types}
          placeholder={rule.types.length === 0 ? t.rules.anyType : ""}
          data={[...known, ...others]}
          value={rule.types}
          onChange={(chosen) => props.onChange({ types: chosen })}
          searchable
          clearable
        />
        <TextInput
          size="xs"
          label={t.rules.name}
          value={rule.name}
          onChange={(event) => props.onChange({ name: event.currentTarget.value }, "name")}
          styles={{ input: { fontFamily: "var(--ll-mono)" } }}
        />
        <div>
          <div className={styles.label}>{t.rules.order}</div>
          <SegmentedControl
            size="xs"
            value={rule.order}
            onChange={(order) => props.onChange({ order: order as InitRule["order"] })}
            data={(["parameters", "statements"] as const).map((value) => ({ value, label: t.rules.orders[value] }))}
            aria-label={t.rules.order}
          />
        </div>
      </div>
      {rule.statements.map((it, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a statement is its place in the order
        <div key={index} className={styles.statement}>
          <TextInput
            size="xs"
            label={t.rules.parameter}
            value={it.parameter}
            onChange={(event) => statement(index, { parameter: event.currentTarget.value }, `${index}.parameter`)}
            styles={{ input: { fontFamily: "var(--ll-mono)" } }}
          />
          <InitFields
            label={t.rules.function}
            value={it}
            optional={false}
            testId={`rule-${props.number}-function`}
            onChange={(value) => value && statement(index, value, `${index}.function`)}
          />
          <Tool
            label={t.items.remove(it.parameter)}
            run={() => props.onChange({ statements: rule.statements.filter((_, at) => at !== index) })}
            Icon={Trash2}
          />
        </div>
      ))}
      <Button
        size="compact-xs"
        variant="subtle"
        leftSection={<Plus size={13} aria-hidden />}
        onClick={() => props.onChange({ statements: [...rule.statements, NEW_STATEMENT] })}
      >
        {t.rules.addStatement}
      </Button>
    </fieldset>
  );
}

function Tool({ label, run, Icon }: { label: string; run: (() => void) | null; Icon: typeof Trash2 }) {
  return (
    <Tooltip label={label}>
      <ActionIcon size="sm" variant="subtle" color="gray" aria-label={label} disabled={!run} onClick={() => run?.()}>
        <Icon size={13} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}
