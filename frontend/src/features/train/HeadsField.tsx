import { ActionIcon, Autocomplete, Button, TextInput } from "@mantine/core";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import type { Catalogue, Head } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { ChoiceField } from "./ChoiceField";
import { lossHint } from "./losses";
import { MetricsField } from "./MetricsField";
import { messageFor } from "./problems";
import styles from "./TrainDialog.module.css";

interface Props extends PartProps {
  catalogue: Catalogue;
  /** Names of what the network returns, as far as its drawing tells. */
  outputs: string[];
}

const EMPTY: Omit<Head, "output"> = { target: null, column: null, loss: null, weight: 1, metrics: null };
/** What each head has for itself. */
const NONE_FOR_ALL = { loss: null, metrics: null, class_weights: null, mixing: null };

/** The outputs of a network that has several, each with its loss, its weight and what it is compared with. */
export function HeadsField({ settings, onChange, refused, catalogue, outputs }: Props) {
  const t = useText();
  const words = t.train.heads;
  const { heads } = settings;
  // Rows keep their fields when one before them is taken away.
  const [keys, setKeys] = useState(() => heads.map((_, index) => index));
  const put = (index: number, part: Partial<Head>) =>
    onChange({ heads: heads.map((head, at) => (at === index ? { ...head, ...part } : head)) });
  const add = () => {
    const free = outputs.filter((name) => !heads.some(({ output }) => output === name));
    // All at once for the first: an output that no head names is not trained on.
    const names = heads.length === 0 && free.length > 0 ? free : [free[0] ?? ""];
    const first = Math.max(-1, ...keys) + 1;
    setKeys([...keys, ...names.map((_, index) => first + index)]);
    onChange({ ...NONE_FOR_ALL, heads: [...heads, ...names.map((output) => ({ ...EMPTY, output }))] });
  };
  const remove = (index: number) => {
    setKeys(keys.filter((_, at) => at !== index));
    onChange({ heads: heads.filter((_, at) => at !== index) });
  };
  return (
    <section className={styles.choice} aria-label={words.label}>
      <h3 className={styles.metric}>{words.label}</h3>
      {heads.length > 0 && <p className={styles.hint}>{words.means}</p>}
      {heads.map((head, index) => {
        const at = `heads.${index}`;
        const error = (field: string) => messageFor(refused, `${at}.${field}`);
        const loss = catalogue.losses.find((entry) => entry.name === head.loss?.name);
        return (
          <div key={keys[index]} className={styles.head}>
            <div className={styles.headRow}>
              <Autocomplete
                label={words.output}
                data={outputs}
                value={head.output}
                onChange={(output) => put(index, { output })}
                error={head.output === "" ? t.train.groups.needed : error("output")}
                spellCheck={false}
              />
              <TextInput
                label={words.target}
                placeholder={words.dataTarget}
                value={head.target ?? ""}
                onChange={(event) => put(index, { target: event.currentTarget.value || null })}
                error={error("target")}
                spellCheck={false}
                autoComplete="off"
              />
              <NumberField
                label={words.column}
                placeholder={words.allColumns}
                whole
                minimum={0}
                maximum={65_535}
                value={head.column}
                onChange={(column) => put(index, { column })}
                error={error("column")}
              />
              <NumberField
                label={words.weight}
                minimum={0}
                step={0.1}
                required
                value={head.weight}
                onChange={(weight) => weight !== null && put(index, { weight })}
                error={error("weight")}
              />
              <ActionIcon variant="subtle" aria-label={words.remove(head.output)} onClick={() => remove(index)}>
                <X size={14} aria-hidden />
              </ActionIcon>
            </div>
            <div className={styles.columns}>
              <ChoiceField
                label={t.train.loss}
                entries={catalogue.losses}
                value={head.loss}
                onChange={(next) => put(index, { loss: next })}
                field={`${at}.loss`}
                refused={refused}
                none={words.byTarget}
                hint={lossHint(loss, t)}
              />
              <MetricsField
                entries={catalogue.metrics}
                value={head.metrics}
                onChange={(metrics) => put(index, { metrics })}
                field={`${at}.metrics`}
                none={words.byTarget}
                refused={refused}
              />
            </div>
          </div>
        );
      })}
      <Button size="compact-xs" variant="default" className={styles.add} leftSection={<Plus size={12} />} onClick={add}>
        {words.add}
      </Button>
    </section>
  );
}
