import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";
import type { Settings } from "./settings";

/** How samples are divided. */
export function DataFields({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  const { split } = settings;
  const set = (part: Partial<Settings["split"]>) => onChange({ split: { ...split, ...part } });
  return (
    <>
      <NumberField
        label={t.validation}
        above={0}
        below={1}
        step={0.05}
        required
        value={split.validation}
        onChange={(validation) => validation !== null && set({ validation })}
        error={messageFor(refused, "split.validation")}
      />
      <NumberField
        label={t.splitSeed}
        whole
        minimum={0}
        required
        value={split.seed}
        onChange={(seed) => seed !== null && set({ seed })}
        error={messageFor(refused, "split.seed")}
      />
    </>
  );
}
