import { Select } from "@mantine/core";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";

const KINDS = ["none", "ema", "swa"] as const;
const STARTS = { ema: "0", swa: "0.75" };

/** Whether an average of the weights is kept in place of the last ones, and how it is made. */
export function AveragingFields({ settings, onChange, refused }: PartProps) {
  const t = useText().train.averaging;
  const { averaging } = settings;
  const choose = (name: string | null) => {
    const kind = name === "ema" || name === "swa" ? name : null;
    onChange({ averaging: kind && { decay: 0.999, start: null, ...averaging, kind } });
  };
  return (
    <>
      <Select
        label={t.label}
        description={averaging ? t.means[averaging.kind] : undefined}
        data={KINDS.map((value) => ({ value, label: t[value] }))}
        value={averaging?.kind ?? "none"}
        onChange={choose}
        error={messageFor(refused, "averaging.kind")}
      />
      {averaging?.kind === "ema" && (
        <NumberField
          label={t.decay}
          above={0}
          below={1}
          step={0.001}
          required
          value={averaging.decay}
          onChange={(decay) => decay !== null && onChange({ averaging: { ...averaging, decay } })}
          error={messageFor(refused, "averaging.decay")}
        />
      )}
      {averaging && (
        <NumberField
          label={t.start}
          placeholder={STARTS[averaging.kind]}
          minimum={0}
          below={1}
          step={0.05}
          value={averaging.start}
          onChange={(start) => onChange({ averaging: { ...averaging, start } })}
          error={messageFor(refused, "averaging.start")}
        />
      )}
    </>
  );
}
