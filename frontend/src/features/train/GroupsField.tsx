import { ActionIcon, Button, Checkbox, Input, TextInput } from "@mantine/core";
import { Plus, X } from "lucide-react";
import { Fragment, useId, useState } from "react";
import type { ParameterGroup } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import styles from "./TrainDialog.module.css";

const EMPTY: ParameterGroup = { pattern: "*.bias", lr: null, factor: null, weight_decay: null, frozen: false };

/** Parameters that train otherwise than the rest: each row a pattern over their names, and what is different. */
export function GroupsField({ settings, onChange, refused }: PartProps) {
  const t = useText().train.groups;
  const id = useId();
  const { groups } = settings;
  // Rows keep their fields when one before them is taken away.
  const [keys, setKeys] = useState(() => groups.map((_, index) => index));
  const put = (index: number, part: Partial<ParameterGroup>) =>
    onChange({ groups: groups.map((group, at) => (at === index ? { ...group, ...part } : group)) });
  const add = () => {
    setKeys([...keys, Math.max(-1, ...keys) + 1]);
    onChange({ groups: [...groups, EMPTY] });
  };
  const remove = (index: number) => {
    setKeys(keys.filter((_, at) => at !== index));
    onChange({ groups: groups.filter((_, at) => at !== index) });
  };
  return (
    <section className={styles.choice} aria-label={t.label}>
      <h3 className={styles.metric}>{t.label}</h3>
      {groups.length > 0 && <p className={styles.hint}>{t.means}</p>}
      {groups.map((group, index) => {
        const error = (field: string) => messageFor(refused, `groups.${index}.${field}`);
        const unmatched = group.pattern === "" ? t.needed : error("pattern");
        const told = `${id}-${keys[index]}`;
        return (
          <Fragment key={keys[index]}>
            <div className={styles.group}>
              <TextInput
                label={t.pattern}
                value={group.pattern}
                onChange={(event) => put(index, { pattern: event.currentTarget.value })}
                error={unmatched !== undefined}
                aria-describedby={unmatched && told}
                spellCheck={false}
                autoComplete="off"
              />
              {!group.frozen && (
                <>
                  <NumberField
                    label={t.lr}
                    placeholder={group.factor === null ? t.same : "–"}
                    minimum={0}
                    step={0.001}
                    value={group.lr}
                    onChange={(lr) => put(index, lr === null ? { lr } : { lr, factor: null })}
                    error={error("lr")}
                  />
                  <NumberField
                    label={t.factor}
                    placeholder={group.lr === null ? "1" : "–"}
                    minimum={0}
                    step={0.1}
                    value={group.factor}
                    onChange={(factor) => put(index, factor === null ? { factor } : { factor, lr: null })}
                    error={error("factor")}
                  />
                  <NumberField
                    label={t.decay}
                    placeholder={t.same}
                    minimum={0}
                    step={0.01}
                    value={group.weight_decay}
                    onChange={(weight_decay) => put(index, { weight_decay })}
                    error={error("weight_decay")}
                  />
                </>
              )}
              <Checkbox
                label={t.frozen}
                checked={group.frozen}
                onChange={(event) => {
                  const frozen = event.currentTarget.checked;
                  put(index, frozen ? { ...EMPTY, pattern: group.pattern, frozen } : { frozen });
                }}
              />
              <ActionIcon variant="subtle" aria-label={t.remove(group.pattern)} onClick={() => remove(index)}>
                <X size={14} aria-hidden />
              </ActionIcon>
            </div>
            {/* A sentence needs the width of the row. */}
            {unmatched && <Input.Error id={told}>{unmatched}</Input.Error>}
          </Fragment>
        );
      })}
      <Button size="compact-xs" variant="default" className={styles.add} leftSection={<Plus size={12} />} onClick={add}>
        {t.add}
      </Button>
    </section>
  );
}
