import type { Run } from "@/api/types";
import { TrainDialog } from "@/features/train";

interface Props {
  run: Run;
  /** `last`, `best` or a step; null while it is closed. */
  checkpoint: string | null;
  onClose: () => void;
}

/** A run of its own that begins with what this one has learned. */
export function ForkDialog({ run, checkpoint, onClose }: Props) {
  const from = { run: run.id, name: run.name, checkpoint: checkpoint ?? "last" };
  return (
    <TrainDialog
      document={run.document}
      plan={run.plan}
      from={from}
      editable
      opened={checkpoint !== null}
      onClose={onClose}
    />
  );
}
