import { useState } from "react";
import type { Run } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useAdjustRun } from "@/features/runs/useRunCommands";
import { useText } from "@/i18n/whole";
import { toast } from "@/ui/Toasts";
import { Asking } from "./Asking";

interface Props {
  run: Run;
  opened: boolean;
  onClose: () => void;
}

/** Another learning rate for the steps to come, of all parameters or of a group. */
export function RateDialog({ run, opened, onClose }: Props) {
  const t = useText().runs.commands;
  const adjust = useAdjustRun(run.id);
  const [rate, setRate] = useState<number | null>(null);
  const [groups, setGroups] = useState<Record<string, number>>({});
  const { plan, adjustment } = run;
  const own = plan.groups.filter((group) => !group.frozen);
  const planned = plan.optimizer.arguments.lr;
  const shown = adjustment.learning_rate ?? (typeof planned === "number" ? planned : null);
  const close = () => {
    adjust.reset();
    setRate(null);
    setGroups({});
    onClose();
  };
  const put = (pattern: string, value: number | null) => {
    adjust.reset();
    setGroups(({ [pattern]: _, ...rest }) => (value === null ? rest : { ...rest, [pattern]: value }));
  };
  const send = () =>
    adjust.mutate(
      { learning_rate: rate, groups: Object.keys(groups).length > 0 ? groups : null },
      {
        onSuccess: () => {
          toast(t.rateAsked);
          close();
        },
      },
    );
  return (
    <Asking
      title={t.rate}
      means={plan.scheduler || plan.warmup > 0 ? t.rateScheduled : t.rateMeans}
      action={t.change}
      opened={opened}
      onClose={close}
      onSend={send}
      pending={adjust.isPending}
      error={adjust.error}
      idle={rate === null && Object.keys(groups).length === 0}
    >
      <NumberField
        label={t.rateOfAll}
        above={0}
        step={0.0001}
        required={shown !== null}
        value={rate ?? shown}
        placeholder={t.asPlanned}
        onChange={(value) => {
          adjust.reset();
          setRate(value);
        }}
      />
      {own.map((group) => (
        <NumberField
          key={group.pattern}
          label={t.rateOf(group.pattern)}
          above={0}
          step={0.0001}
          value={groups[group.pattern] ?? adjustment.groups[group.pattern] ?? group.lr}
          placeholder={group.factor === null ? t.asAll : t.times(group.factor)}
          onChange={(value) => put(group.pattern, value)}
        />
      ))}
    </Asking>
  );
}
