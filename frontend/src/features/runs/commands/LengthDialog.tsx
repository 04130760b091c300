import { useState } from "react";
import type { Run, RunPatch } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useAdjustRun } from "@/features/runs/useRunCommands";
import { useText } from "@/i18n/whole";
import { toast } from "@/ui/Toasts";
import { Asking } from "./Asking";

interface Props {
  run: Run;
  ended: boolean;
  opened: boolean;
  onClose: () => void;
}

/** More epochs or steps than a run was to have. */
export function LengthDialog({ run, ended, opened, onClose }: Props) {
  const t = useText().runs.commands;
  const adjust = useAdjustRun(run.id);
  const [typed, setTyped] = useState<Pick<RunPatch, "epochs" | "steps">>({});
  const { plan, adjustment } = run;
  const lengths = { epochs: adjustment.epochs ?? plan.epochs, steps: adjustment.steps ?? plan.steps };
  const put = (part: typeof typed) => {
    adjust.reset();
    setTyped((before) => ({ ...before, ...part }));
  };
  const close = () => {
    adjust.reset();
    setTyped({});
    onClose();
  };
  const send = () =>
    adjust.mutate(typed, {
      onSuccess: () => {
        toast(ended ? t.goesOn : t.lengthAsked);
        close();
      },
    });
  return (
    <Asking
      title={t.length}
      means={`${ended ? t.goesOnMeans : t.lengthMeans}${plan.scheduler ? ` ${t.lengthScheduled}` : ""}`}
      action={ended ? t.goOn : t.change}
      opened={opened}
      onClose={close}
      onSend={send}
      pending={adjust.isPending}
      error={adjust.error}
      idle={!typed.epochs && !typed.steps}
    >
      {lengths.epochs !== null && (
        <NumberField
          label={t.epochs}
          whole
          required
          above={run.epoch > 0 && !ended ? run.epoch - 1 : run.epoch}
          maximum={1_000_000}
          step={10}
          value={typed.epochs ?? lengths.epochs}
          onChange={(epochs) => put({ epochs })}
        />
      )}
      {lengths.steps !== null && (
        <NumberField
          label={t.steps}
          whole
          required
          above={run.step}
          maximum={1_000_000_000}
          step={100}
          value={typed.steps ?? lengths.steps}
          onChange={(steps) => put({ steps })}
        />
      )}
    </Asking>
  );
}
