import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { systemQuery } from "@/api/queries";
import type { Catalogue, DatasetEntry } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import { AveragingFields } from "./AveragingFields";
import { BestFields } from "./BestFields";
import { ChoiceField } from "./ChoiceField";
import { DataFields } from "./DataFields";
import { GroupsField } from "./GroupsField";
import { HeadsField } from "./HeadsField";
import { lossHint } from "./losses";
import { MetricsField } from "./MetricsField";
import { MixingFields } from "./MixingFields";
import { messageFor, type Refused } from "./problems";
import { StatisticsFields } from "./StatisticsFields";
import { StoppingFields } from "./StoppingFields";
import { DataSwitches, MachineSwitches } from "./Switches";
import type { Settings } from "./settings";
import styles from "./TrainDialog.module.css";
import { isImages, TransformsField } from "./TransformsField";
import { WeightsField } from "./WeightsField";

export interface PartProps {
  settings: Settings;
  onChange: (part: Partial<Settings>) => void;
  refused: Refused;
}

interface Props extends PartProps {
  catalogue: Catalogue;
  dataset: DatasetEntry | undefined;
  /** Names of what the network returns, as far as its drawing tells. */
  outputs: string[];
}

/** Lengths that a schedule takes from the plan when they are not given. */
const FROM_THE_PLAN = ["T_max", "total_steps"];

/** Tasks whose targets are classes. */
const CLASSES: DatasetEntry["task"][] = ["classification", "tokens"];

/** Whether samples are images with a label. */
const isLabelled = (dataset: DatasetEntry | undefined) =>
  dataset?.task === "classification" && dataset.shape.length === 3;

/** What a scheduler is made of, as long as it is the same one. */
const partsOf = ({ scheduler }: Props["settings"], name: string) => (scheduler?.name === name ? scheduler.parts : []);

/** Settings that most runs leave as they are. */
export function Advanced({ catalogue, dataset, outputs, settings, onChange, refused }: Props) {
  const t = useText();
  const part = { settings, onChange, refused };
  const single = settings.heads.length === 0;
  const fitting = <E extends { tasks: string[] }>(entries: E[]) =>
    entries.filter((entry) => dataset === undefined || entry.tasks.includes(dataset.task));
  const losses = fitting(catalogue.losses);
  const loss = catalogue.losses.find((entry) => entry.name === settings.loss?.name);
  return (
    <>
      <Section title={t.train.sections.learning}>
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
          <AveragingFields {...part} />
        </div>
        <div className={styles.numbers}>
          <Steps {...part} />
        </div>
        <GroupsField {...part} />
      </Section>
      <Section title={t.train.sections.objective}>
        {single && (
          <div className={styles.columns}>
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
            <MetricsField
              entries={fitting(catalogue.metrics)}
              value={settings.metrics}
              onChange={(metrics) => onChange({ metrics })}
              refused={refused}
            />
          </div>
        )}
        {single && (dataset === undefined || CLASSES.includes(dataset.task)) && <WeightsField {...part} />}
        <HeadsField {...part} catalogue={catalogue} outputs={outputs} />
      </Section>
      <Section title={t.train.sections.data}>
        {(settings.transforms.length > 0 || isImages(dataset)) && (
          <TransformsField {...part} entries={catalogue.transforms} dataset={dataset} />
        )}
        <div className={styles.numbers}>
          <DataFields {...part} />
          {single && (settings.mixing || isLabelled(dataset)) && <MixingFields {...part} />}
        </div>
        <DataSwitches {...part} />
      </Section>
      <Section title={t.train.sections.keeping}>
        <div className={styles.numbers}>
          <StoppingFields {...part} task={dataset?.task} />
          <BestFields {...part} task={dataset?.task} />
        </div>
      </Section>
      <Section title={t.train.sections.machine}>
        <div className={styles.numbers}>
          <Machine {...part} />
        </div>
        <MachineSwitches {...part} />
      </Section>
      <Section title={t.train.statistics.label}>
        <StatisticsFields {...part} />
      </Section>
    </>
  );
}

/** Settings that belong together, below what they are about. */
function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className={styles.section}>
      <legend>{title}</legend>
      {children}
    </fieldset>
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
        label={t.warmup}
        whole
        minimum={0}
        maximum={1_000_000_000}
        step={10}
        required
        value={settings.warmup}
        onChange={(warmup) => warmup !== null && onChange({ warmup })}
        error={messageFor(refused, "warmup")}
      />
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
        label={t.accumulation}
        whole
        minimum={1}
        maximum={Math.max(1, Math.floor(settings.batch_size / 2))}
        required
        value={settings.accumulation}
        onChange={(accumulation) => accumulation !== null && onChange({ accumulation })}
        error={messageFor(refused, "accumulation")}
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
        description={settings.precision === "auto" ? t.precision.autoMeans : undefined}
        data={(["fp32", "bf16", "fp16", "auto"] as const).map((value) => ({ value, label: t.precision[value] }))}
        value={settings.precision}
        onChange={(value) => onChange({ precision: value as Settings["precision"] })}
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
        label={t.devices}
        description={settings.devices > 1 ? t.devicesMean : undefined}
        whole
        minimum={1}
        maximum={Math.max(1, Math.min(64, Math.floor(settings.batch_size / (2 * settings.accumulation))))}
        required
        value={settings.devices}
        onChange={(devices) => devices !== null && onChange({ devices })}
        error={messageFor(refused, "devices")}
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
