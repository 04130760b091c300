import { Switch, TagsInput } from "@mantine/core";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import type { Settings } from "./settings";
import styles from "./TrainDialog.module.css";

const KINDS = ["norms", "histograms", "activations", "features", "attention"] as const;
const MOST_PATTERNS = 16;

/** What is looked at while the network learns, and how much time that may take. */
export function StatisticsFields({ settings, onChange, refused }: PartProps) {
  const t = useText().train.statistics;
  const { statistics } = settings;
  const set = (part: Partial<Settings["statistics"]>) => onChange({ statistics: { ...statistics, ...part } });
  const images = statistics.features || statistics.attention;
  return (
    <>
      <div className={styles.switches}>
        {KINDS.map((kind) => (
          <Switch
            key={kind}
            label={t[kind]}
            checked={statistics[kind]}
            error={messageFor(refused, `statistics.${kind}`)}
            onChange={(event) => set({ [kind]: event.currentTarget.checked })}
          />
        ))}
      </div>
      <div className={styles.numbers}>
        <NumberField
          label={t.budget}
          minimum={0}
          maximum={1}
          step={0.01}
          required
          value={statistics.budget}
          onChange={(budget) => budget !== null && set({ budget })}
          error={messageFor(refused, "statistics.budget")}
        />
        {images && (
          <>
            <NumberField
              label={t.samples}
              whole
              minimum={1}
              maximum={8}
              required
              value={statistics.samples}
              onChange={(samples) => samples !== null && set({ samples })}
              error={messageFor(refused, "statistics.samples")}
            />
            <TagsInput
              className={styles.wide}
              label={t.layers}
              placeholder={statistics.layers.length === 0 ? t.layersNone : undefined}
              value={statistics.layers}
              maxTags={MOST_PATTERNS}
              onChange={(layers) => set({ layers })}
              error={messageFor(refused, "statistics.layers")}
            />
          </>
        )}
      </div>
    </>
  );
}
