import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { systemQuery } from "@/api/queries";
import type { Catalogue, DatasetEntry } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n";
import { BestFields } from "./BestFields";
import { ChoiceField } from "./ChoiceField";
import { DataFields } from "./DataFields";
import { lossHint } from "./losses";
import { MetricsField } from "./MetricsField";
import { messageFor, type Refused } from "./problems";
import { Switches } from "./Switches";
import type { Settings } from "./settings";
import styles from "./TrainDialog.module.css";

export interface PartProps {
  settings: Settings;
  onChange: (part: Partial<Settings>) => void;
  refused: Refused;
}

interface Props extends PartProps {
  catalogue: Catalogue;
  dataset: DatasetEntry | undefined;
}

/** Lengths that a schedule takes from the plan when they are not given. */
const FROM_THE_PLAN = ["T_max", "total_steps"];

/** What a scheduler is made of, as long as it is the same one. */
const partsOf = ({ scheduler }: Props["settings"], name: string) => (scheduler?.name === name ? scheduler.parts : []);

/** Settings that most runs leave as they are. */
export function Advanced({ catalogue, dataset, settings, onChange, refused }: Props) {
  const t = useText();
  const part = { settings, onChange, refused };
  const fitting = <E extends { tasks: string[] }>(entries: E[]) =>
    entries.filter((entry) => dataset === undefined || entry.tasks.includes(dataset.task));
  const losses = fitting(catalogue.losses);
  const loss = catalogue.losses.find((entry) => entry.name === settings.loss?.name);
  return (
    <>
      <div className={styles.columns}>
        <ChoiceField
          label={t.train.scheduler}
          entries={catalogue.schedulers.filter(({ parts, name }) => !parts || name === settings.scheduler?.name)}
          value={settings.scheduler}
          onChange={(next) => onChange({ scheduler: next && { ...next, parts: partsOf(settings, next.name) } })}
          field="scheduler"
          refused={refused}
          none={t.train.noScheduler}
          derived={FROM_THE_PLAN}
        />
        <ChoiceField
          label={t.train.loss}
          // One that another run had is offered, too, whatever it was made for.
          entries={loss && !losses.includes(loss) ? [...losses, loss] : losses}
          value={settings.loss}
          onChange={(next) => onChange({ loss: next })}
          field="loss"
          refused={refused}
          none={t.train.byTask}
          hint={lossHint(loss, t)}
        />
      </div>
      <MetricsField
        entries={fitting(catalogue.metrics)}
        value={settings.metrics}
        onChange={(metrics) => onChange({ metrics })}
        refused={refused}
      />
      <div className={styles.numbers}>
        <BestFields {...part} task={dataset?.task} />
        <Steps {...part} />
        <Machine {...part} />
        <DataFields {...part} />
      </div>
      <Switches {...part} />
    </>
  );
}

function Steps({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  const { clip } = settings;
  return (
    <>
      {settings.scheduler && (
        <Select
          label={t.interval.label}
          data={[
            { value: "epoch", label: t.interval.epoch },
            { value: "step", label: t.interval.step },
          ]}
          value={settings.scheduler_interval}
          onChange={(value) => onChange({ scheduler_interval: value === "step" ? "step" : "epoch" })}
          error={messageFor(refused, "scheduler_interval")}
        />
      )}
      <NumberField
        label={t.clipNorm}
        placeholder={t.clipNone}
        above={0}
        step={0.5}
        value={clip.norm}
        onChange={(norm) => onChange({ clip: { ...clip, norm } })}
        error={messageFor(refused, "clip.norm")}
      />
      <NumberField
        label={t.clipValue}
        placeholder={t.clipNone}
        above={0}
        step={0.5}
        value={clip.value}
        onChange={(value) => onChange({ clip: { ...clip, value } })}
        error={messageFor(refused, "clip.value")}
      />
      <NumberField
        label={t.steps}
        placeholder={t.stepsNone}
        whole
        minimum={1}
        maximum={1_000_000_000}
        value={settings.steps}
        onChange={(steps) => onChange({ steps })}
        error={messageFor(refused, "steps")}
      />
    </>
  );
}

function Machine({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  const { data: system } = useQuery(systemQuery);
  const devices = system?.devices.map((device) => ({ value: device.id, label: device.name })) ?? [];
  const known = settings.device === "auto" || devices.some((device) => device.value === settings.device);
  return (
    <>
      <Select
        label={t.precision.label}
        data={(["fp32", "bf16", "fp16"] as const).map((value) => ({ value, label: t.precision[value] }))}
        value={settings.precision}
        onChange={(value) => onChange({ precision: value as "fp32" | "bf16" | "fp16" })}
        error={messageFor(refused, "precision")}
      />
      <Select
        label={t.device}
        data={[
          { value: "auto", label: t.automatic },
          ...devices,
          ...(known ? [] : [{ value: settings.device, label: settings.device }]),
        ]}
        value={settings.device}
        onChange={(device) => onChange({ device: device ?? "auto" })}
        error={messageFor(refused, "device")}
      />
      <NumberField
        label={t.threads}
        placeholder={t.automatic}
        whole
        minimum={1}
        maximum={256}
        value={settings.threads}
        onChange={(threads) => onChange({ threads })}
        error={messageFor(refused, "threads")}
      />
      <NumberField
        label={t.seed}
        whole
        minimum={0}
        required
        value={settings.seed}
        onChange={(seed) => seed !== null && onChange({ seed })}
        error={messageFor(refused, "seed")}
      />
    </>
  );
}
