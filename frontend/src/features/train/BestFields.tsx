import { Select } from "@mantine/core";
import type { DatasetEntry } from "@/api/types";
import { seriesTitle } from "@/features/charts/groups";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import { monitorable } from "./series";

const DEFAULT = "";

/** Which series decides what the best weights are, and which are saved and kept. */
export function BestFields({
  settings,
  onChange,
  refused,
  task,
}: PartProps & { task: DatasetEntry["task"] | undefined }) {
  const t = useText();
  const { checkpoints } = settings;
  return (
    <>
      <Select
        label={t.train.monitor}
        data={[
          { value: DEFAULT, label: t.train.monitorByDefault },
          ...monitorable(settings, task).map((name) => ({ value: name, label: seriesTitle(name, t) })),
        ]}
        value={checkpoints.monitor ?? DEFAULT}
        onChange={(name) => onChange({ checkpoints: { ...checkpoints, monitor: name || null } })}
        error={messageFor(refused, "checkpoints.monitor")}
      />
      <NumberField
        label={t.train.everyEpochs}
        whole
        minimum={1}
        required
        value={checkpoints.every_epochs}
        onChange={(every) => every !== null && onChange({ checkpoints: { ...checkpoints, every_epochs: every } })}
        error={messageFor(refused, "checkpoints.every_epochs")}
      />
      <NumberField
        label={t.train.keepEvery}
        placeholder={t.train.keepNone}
        whole
        minimum={1}
        value={checkpoints.keep_every}
        onChange={(keep) => onChange({ checkpoints: { ...checkpoints, keep_every: keep } })}
        error={messageFor(refused, "checkpoints.keep_every")}
      />
    </>
  );
}
