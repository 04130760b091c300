import { Select } from "@mantine/core";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import type { PartProps } from "./Advanced";
import { messageFor } from "./problems";

const KINDS = ["none", "mixup", "cutmix", "both"] as const;

/** Whether the images of a batch are mixed in pairs, and how strongly. */
export function MixingFields({ settings, onChange, refused }: PartProps) {
  const t = useText().train.mixing;
  const { mixing } = settings;
  const choose = (name: string | null) => {
    const kind = KINDS.find((one) => one === name);
    onChange({ mixing: kind === undefined || kind === "none" ? null : { alpha: 1, ...mixing, kind } });
  };
  return (
    <>
      <Select
        label={t.label}
        data={KINDS.map((value) => ({ value, label: t[value] }))}
        value={mixing?.kind ?? "none"}
        onChange={choose}
        error={messageFor(refused, "mixing.kind")}
      />
      {mixing && (
        <NumberField
          label={t.alpha}
          above={0}
          maximum={1000}
          step={0.1}
          required
          value={mixing.alpha}
          onChange={(alpha) => alpha !== null && onChange({ mixing: { ...mixing, alpha } })}
          error={messageFor(refused, "mixing.alpha")}
        />
      )}
    </>
  );
}
