import { Switch } from "@mantine/core";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import styles from "./TrainDialog.module.css";

/** What is done with the data. */
export function DataSwitches({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  const { split } = settings;
  return (
    <div className={styles.switches}>
      <Switch
        label={t.normalize}
        checked={settings.normalize}
        error={messageFor(refused, "normalize")}
        onChange={(event) => onChange({ normalize: event.currentTarget.checked })}
      />
      <Switch
        label={t.stratify}
        checked={split.stratify}
        error={messageFor(refused, "split.stratify")}
        onChange={(event) => onChange({ split: { ...split, stratify: event.currentTarget.checked } })}
      />
    </div>
  );
}

/** How steps are computed. */
export function MachineSwitches({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  return (
    <div className={styles.switches}>
      {(settings.devices > 1 || settings.sync_batch_norm) && (
        <Switch
          label={t.syncBatchNorm}
          description={t.syncBatchNormMeans}
          checked={settings.sync_batch_norm}
          error={messageFor(refused, "sync_batch_norm")}
          onChange={(event) => onChange({ sync_batch_norm: event.currentTarget.checked })}
        />
      )}
      <Switch
        label={t.compile}
        description={t.compileMeans}
        checked={settings.compile}
        error={messageFor(refused, "compile")}
        onChange={(event) => onChange({ compile: event.currentTarget.checked })}
      />
    </div>
  );
}
