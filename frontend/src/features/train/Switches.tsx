import { Switch } from "@mantine/core";
import { useText } from "@/i18n";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import styles from "./TrainDialog.module.css";

/** What is done with the data, and what is sampled of the parameters while they learn. */
export function Switches({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  const { split, statistics } = settings;
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
      <Switch
        label={t.statistics.norms}
        checked={statistics.norms}
        onChange={(event) => onChange({ statistics: { ...statistics, norms: event.currentTarget.checked } })}
      />
      <Switch
        label={t.statistics.histograms}
        checked={statistics.histograms}
        onChange={(event) => onChange({ statistics: { ...statistics, histograms: event.currentTarget.checked } })}
      />
    </div>
  );
}
