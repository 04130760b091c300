import { Button, Modal, Stack, Text } from "@mantine/core";
import { useText } from "@/i18n";
import { settleConflict } from "./save";
import { useProject } from "./store";

/** Two versions grew from one: the user chooses, and nothing is lost before. */
export function ConflictDialog() {
  const t = useText().editor.conflict;
  const conflict = useProject((state) => state.saved === "conflict");
  const theirs = useProject((state) => state.theirs);
  return (
    <Modal
      opened={conflict}
      onClose={() => undefined}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t.title}
      data-testid="conflict-dialog"
    >
      <Stack gap="sm">
        <Text size="sm">{t.body}</Text>
        <Button onClick={() => void settleConflict("copy")}>{t.copy}</Button>
        {theirs && (
          <>
            <Button variant="default" onClick={() => void settleConflict("theirs")}>
              {t.theirs(theirs.revision)}
            </Button>
            <Button variant="default" onClick={() => void settleConflict("mine")}>
              {t.mine}
            </Button>
          </>
        )}
      </Stack>
    </Modal>
  );
}
