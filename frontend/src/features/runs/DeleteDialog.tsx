import { Button, Group, Modal, Text } from "@mantine/core";
import { useText } from "@/i18n";
import { toast } from "@/ui/Toasts";
import { useDeleteRuns } from "./useRunCommands";

/** Asks before runs are removed for good. */
export function DeleteDialog(props: { ids: string[]; onClose: () => void; onDeleted: () => void }) {
  const t = useText();
  const { ids, onClose, onDeleted } = props;
  const remove = useDeleteRuns();
  const confirm = () =>
    remove.mutate(ids, {
      onSuccess: () => {
        toast(t.runs.deleted(ids.length));
        onDeleted();
      },
      onSettled: onClose,
    });
  return (
    <Modal opened={ids.length > 0} onClose={onClose} title={t.runs.deleteTitle(ids.length)}>
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
