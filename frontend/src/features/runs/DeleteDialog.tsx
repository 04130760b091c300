import { Button, Group, List, Modal, Text } from "@mantine/core";
import type { RunSummary } from "@/api/types";
import { useText } from "@/i18n/whole";
import { toast } from "@/ui/Toasts";
import { useDeleteRuns } from "./useRunCommands";

interface Props {
  runs: RunSummary[];
  onClose: () => void;
  onDeleted: (ids: string[]) => void;
}

/** So many names are read before one agrees; the rest is a number. */
const MOST_NAMES = 8;

/** Asks before runs are removed for good, and names them. */
export function DeleteDialog({ runs, onClose, onDeleted }: Props) {
  const t = useText();
  const ids = runs.map((run) => run.id);
  const remove = useDeleteRuns();
  const confirm = () =>
    remove.mutate(ids, {
      onSuccess: () => {
        toast(t.runs.deleted(ids.length));
        onDeleted(ids);
      },
      onSettled: onClose,
    });
  return (
    <Modal opened={ids.length > 0} onClose={onClose} title={t.runs.deleteTitle(ids.length)}>
      <List size="sm" mb="sm">
        {runs.slice(0, MOST_NAMES).map((run) => (
          <List.Item key={run.id}>{run.name}</List.Item>
        ))}
        {runs.length > MOST_NAMES && <List.Item>{t.runs.deleteMore(runs.length - MOST_NAMES)}</List.Item>}
      </List>
      <Text size="sm">{t.runs.deleteBody}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>
          {t.common.actions.cancel}
        </Button>
        <Button color="red" onClick={confirm} loading={remove.isPending}>
          {t.common.actions.delete}
        </Button>
      </Group>
    </Modal>
  );
}
