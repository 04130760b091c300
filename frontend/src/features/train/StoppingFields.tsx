import { Select } from "@mantine/core";
import type { DatasetEntry } from "@/api/types";
import { seriesTitle } from "@/features/charts/groups";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import { monitorable } from "./series";

const SAME = "";

/** After how many epochs without improvement, and of which series, a run ends; and after how many steps at most. */
export function StoppingFields({
  settings,
  onChange,
  refused,
  task,
}: PartProps & { task: DatasetEntry["task"] | undefined }) {
  const texts = useText();
  const t = texts.train.stopping;
  const early = settings.early_stopping;
  const known = monitorable(settings, task);
  const series = early?.monitor == null || known.includes(early.monitor) ? known : [...known, early.monitor];
  return (
    <>
      <NumberField
        label={t.patience}
        placeholder={t.never}
        whole
        minimum={1}
        value={early?.patience ?? null}
        onChange={(patience) =>
          onChange({ early_stopping: patience === null ? null : { min_change: 0, monitor: null, ...early, patience } })
        }
        error={messageFor(refused, "early_stopping.patience")}
      />
      {early && (
        <>
          <NumberField
            label={t.change}
            minimum={0}
            step={0.001}
            required
            value={early.min_change}
            onChange={(change) => change !== null && onChange({ early_stopping: { ...early, min_change: change } })}
            error={messageFor(refused, "early_stopping.min_change")}
          />
          <Select
            label={t.monitor}
            data={[
              { value: SAME, label: t.same },
              ...series.map((name) => ({ value: name, label: seriesTitle(name, texts) })),
            ]}
            value={early.monitor ?? SAME}
            onChange={(name) => onChange({ early_stopping: { ...early, monitor: name || null } })}
            error={messageFor(refused, "early_stopping.monitor")}
          />
        </>
      )}
      <NumberField
        label={texts.train.steps}
        placeholder={texts.train.stepsNone}
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
