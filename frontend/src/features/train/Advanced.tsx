import { MultiSelect, NumberInput, Select, Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { systemQuery } from "@/api/queries";
import type { Catalogue, DatasetEntry } from "@/api/types";
import { useText } from "@/i18n";
import { ChoiceField } from "./ChoiceField";
import { messageFor, type Refused } from "./problems";
import type { Settings } from "./settings";
import styles from "./TrainDialog.module.css";

interface Props {
  catalogue: Catalogue;
  dataset: DatasetEntry | undefined;
  settings: Settings;
  onChange: (part: Partial<Settings>) => void;
  refused: Refused;
}

/** Lengths that a schedule takes from the plan when they are not given. */
const FROM_THE_PLAN = ["T_max", "total_steps"];

/** Settings that most runs leave as they are. */
export function Advanced({ catalogue, dataset, settings, onChange, refused }: Props) {
  const t = useText().train;
  const fitting = <E extends { tasks: string[] }>(entries: E[]) =>
    entries.filter((entry) => dataset === undefined || entry.tasks.includes(dataset.task));
  const losses = fitting(catalogue.losses);
  return (
    <div className={styles.advanced}>
      <div className={styles.columns}>
        <ChoiceField
          label={t.scheduler}
          entries={catalogue.schedulers}
          value={settings.scheduler}
          onChange={(scheduler) => onChange({ scheduler })}
          none={t.noScheduler}
          derived={FROM_THE_PLAN}
          error={messageFor(refused, "scheduler")}
        />
        <ChoiceField
          label={t.loss}
          entries={losses.length > 0 ? losses : catalogue.losses}
          value={settings.loss}
          onChange={(loss) => onChange({ loss })}
          none={t.byTask}
          error={messageFor(refused, "loss")}
        />
      </div>
      <MultiSelect
        label={t.metrics}
        placeholder={settings.metrics?.length ? "" : t.metricsByTask}
        data={fitting(catalogue.metrics).map((entry) => ({ value: entry.name, label: entry.label }))}
        value={settings.metrics?.map((metric) => metric.name) ?? []}
        onChange={(names) =>
          onChange({ metrics: names.length > 0 ? names.map((name) => ({ name, arguments: {} })) : null })
        }
        searchable
        clearable
        maxDropdownHeight={240}
        error={messageFor(refused, "metrics")}
      />
      <Numbers settings={settings} onChange={onChange} refused={refused} />
      <Switch
        label={t.normalize}
        checked={settings.normalize}
        error={messageFor(refused, "normalize")}
        onChange={(event) => onChange({ normalize: event.currentTarget.checked })}
      />
    </div>
  );
}

function Numbers({ settings, onChange, refused }: Pick<Props, "settings" | "onChange" | "refused">) {
  const t = useText().train;
  const { data: system } = useQuery(systemQuery);
  const devices = system?.devices.map((device) => ({ value: device.id, label: device.name })) ?? [];
  return (
    <div className={styles.numbers}>
      {settings.scheduler && (
        <Select
          label={t.interval.label}
          data={[
            { value: "epoch", label: t.interval.epoch },
            { value: "step", label: t.interval.step },
          ]}
          value={settings.scheduler_interval}
          onChange={(value) => onChange({ scheduler_interval: value === "step" ? "step" : "epoch" })}
        />
      )}
      <NumberInput
        label={t.clipNorm}
        placeholder={t.clipNone}
        min={0}
        step={0.5}
        value={settings.clip.norm ?? ""}
        onChange={(value) => onChange({ clip: { norm: typeof value === "number" && value > 0 ? value : null } })}
        error={messageFor(refused, "clip")}
      />
      <Select
        label={t.precision.label}
        data={(["fp32", "bf16", "fp16"] as const).map((value) => ({ value, label: t.precision[value] }))}
        value={settings.precision}
        onChange={(value) => onChange({ precision: value as "fp32" | "bf16" | "fp16" })}
        error={messageFor(refused, "precision")}
      />
      <Select
        label={t.device}
        data={[{ value: "auto", label: t.automatic }, ...devices]}
        value={settings.device}
        onChange={(device) => onChange({ device: device ?? "auto" })}
        error={messageFor(refused, "device")}
      />
      <NumberInput
        label={t.seed}
        min={0}
        allowDecimal={false}
        value={settings.seed}
        onChange={(value) => onChange({ seed: typeof value === "number" ? value : 0 })}
        error={messageFor(refused, "seed")}
      />
      <NumberInput
        label={t.validation}
        min={0.01}
        max={0.9}
        step={0.05}
        decimalScale={3}
        value={settings.split.validation}
        onChange={(value) => {
          if (typeof value === "number" && value > 0 && value < 1) onChange({ split: { validation: value } });
        }}
        error={messageFor(refused, "split")}
      />
    </div>
  );
}
