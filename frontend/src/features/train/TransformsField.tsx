import { ActionIcon, Select } from "@mantine/core";
import { ArrowDown, ArrowUp, X } from "lucide-react";
import { useState } from "react";
import type { DatasetEntry, Entry, Transform } from "@/api/types";
import { byKey, Explain } from "@/features/help/Explain";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { Arguments, editable } from "./Arguments";
import { messageBeside, messageFor } from "./problems";
import styles from "./TrainDialog.module.css";
import { TransformPreview } from "./TransformPreview";

const USES = ["both", "training", "validation"] as const;

/** Whether samples are images, channels first. */
export const isImages = (dataset: DatasetEntry | undefined) =>
  dataset?.shape.length === 3 && dataset.dtype === "float32";

interface Props extends PartProps {
  entries: Entry[];
  dataset: DatasetEntry | undefined;
}

/** What becomes of images before the network sees them: a list in order, and what it does to some of them. */
export function TransformsField({ entries, dataset, settings, onChange, refused }: Props) {
  const t = useText().train.transforms;
  const { transforms } = settings;
  // Rows keep their fields when another one moves.
  const [keys, setKeys] = useState(() => transforms.map((_, index) => index));
  const change = (next: Transform[]) => onChange({ transforms: next });
  const put = (index: number, part: Partial<Transform>) =>
    change(transforms.map((one, at) => (at === index ? { ...one, ...part } : one)));
  const add = (name: string | null) => {
    if (name === null) return;
    setKeys([...keys, Math.max(-1, ...keys) + 1]);
    change([...transforms, { name, arguments: {}, use: null, draws: "image" }]);
  };
  const remove = (index: number) => {
    setKeys(keys.filter((_, at) => at !== index));
    change(transforms.filter((_, at) => at !== index));
  };
  const move = (index: number, by: number) => {
    setKeys(moved(keys, index, by));
    change(moved(transforms, index, by));
  };
  return (
    <section className={styles.choice} aria-label={t.label} data-testid="transforms">
      <h3 className={styles.metric}>{t.label}</h3>
      {transforms.length === 0 && <p className={styles.hint}>{t.means}</p>}
      {transforms.length > 0 && (
        <ol className={styles.transforms}>
          {transforms.map((transform, index) => (
            <Row
              key={keys[index]}
              entry={entries.find((one) => one.name === transform.name)}
              transform={transform}
              field={`transforms.${index}`}
              refused={refused}
              onChange={(part) => put(index, part)}
              onUp={index > 0 ? () => move(index, -1) : undefined}
              onDown={index < transforms.length - 1 ? () => move(index, 1) : undefined}
              onRemove={() => remove(index)}
            />
          ))}
        </ol>
      )}
      <Select
        key={transforms.length}
        className={styles.add}
        size="xs"
        aria-label={t.add}
        placeholder={t.add}
        data={[
          { group: t.fixed, items: options(entries, "preprocessing") },
          { group: t.random, items: options(entries, "augmentation") },
        ]}
        value={null}
        onChange={add}
        searchable
        openOnFocus={false}
        maxDropdownHeight={280}
        error={messageBeside(
          refused,
          "transforms",
          transforms.map((_, index) => `transforms.${index}`),
        )}
      />
      {transforms.length > 0 && dataset?.available && (
        <TransformPreview dataset={dataset} transforms={transforms} seed={settings.seed} />
      )}
    </section>
  );
}

const options = (entries: Entry[], category: string) =>
  entries.filter((one) => one.category === category).map((one) => ({ value: one.name, label: one.label }));

function moved<T>(items: T[], index: number, by: number): T[] {
  const next = [...items];
  next.splice(index + by, 0, ...next.splice(index, 1));
  return next;
}

interface RowProps {
  entry: Entry | undefined;
  transform: Transform;
  field: string;
  refused: PartProps["refused"];
  onChange: (part: Partial<Transform>) => void;
  onUp: (() => void) | undefined;
  onDown: (() => void) | undefined;
  onRemove: () => void;
}

function Row({ entry, transform, field, refused, onChange, onUp, onDown, onRemove }: RowProps) {
  const t = useText().train.transforms;
  const label = entry?.label ?? transform.name;
  const card = entry && { name: entry.name, arguments: transform.arguments };
  const random = entry?.category === "augmentation";
  const error = messageBeside(
    refused,
    field,
    entry ? editable(entry).map((spec) => `${field}.arguments.${spec.name}`) : [],
  );
  return (
    <li className={styles.transform} data-transform={label} onKeyDown={byKey(card)}>
      <div className={styles.transformHead}>
        <span className={styles.transformName} title={entry?.summary}>
          {label}
          {card && <Explain card={card} label={label} small />}
        </span>
        {random ? (
          <Select
            size="xs"
            w={150}
            aria-label={t.drawsOf(label)}
            data={(["image", "batch"] as const).map((value) => ({ value, label: t.draws[value] }))}
            value={transform.draws}
            onChange={(value) => onChange({ draws: value === "batch" ? "batch" : "image" })}
            allowDeselect={false}
          />
        ) : (
          <Select
            size="xs"
            w={150}
            aria-label={t.purposeOf(label)}
            data={USES.map((value) => ({ value, label: t.use[value] }))}
            value={transform.use ?? "both"}
            onChange={(value) => onChange({ use: USES.find((use) => use === value) ?? null })}
            allowDeselect={false}
          />
        )}
        <span className={styles.transformTools}>
          <ActionIcon variant="subtle" disabled={!onUp} aria-label={t.up(label)} onClick={onUp}>
            <ArrowUp size={14} aria-hidden />
          </ActionIcon>
          <ActionIcon variant="subtle" disabled={!onDown} aria-label={t.down(label)} onClick={onDown}>
            <ArrowDown size={14} aria-hidden />
          </ActionIcon>
          <ActionIcon variant="subtle" aria-label={t.remove(label)} onClick={onRemove}>
            <X size={14} aria-hidden />
          </ActionIcon>
        </span>
      </div>
      {entry && editable(entry).length > 0 && (
        <Arguments
          entry={entry}
          value={transform}
          onChange={(next) => onChange({ arguments: next.arguments })}
          errorOf={(argument) => messageFor(refused, `${field}.arguments.${argument}`)}
          shown={["p"]}
        />
      )}
      {error && (
        <p role="alert" className={styles.transformError}>
          {error}
        </p>
      )}
    </li>
  );
}
