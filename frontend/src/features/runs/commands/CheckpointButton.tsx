import { Button, Tooltip } from "@mantine/core";
import { Save } from "lucide-react";
import type { Run } from "@/api/types";
import { useRunCommand } from "@/features/runs/useRunCommands";
import { useText } from "@/i18n/whole";
import { toast } from "@/ui/Toasts";

/** Saves what a run has learned so far, without stopping it. */
export function CheckpointButton({ run }: { run: Run }) {
  const t = useText().runs.commands;
  const command = useRunCommand(run.id);
  return (
    <Tooltip label={t.checkpointMeans} multiline w={240}>
      <Button
        variant="default"
        size="xs"
        leftSection={<Save size={15} aria-hidden />}
        loading={command.isPending}
        onClick={() => command.mutate("checkpoint", { onSuccess: () => toast(t.checkpointAsked, t.checkpointMeans) })}
      >
        {t.checkpoint}
      </Button>
    </Tooltip>
  );
}
