import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Form } from "@/features/forms";
import { useText } from "@/i18n";
import { ErrorNotice } from "@/ui/States";

interface Props {
  title: string;
  /** What will happen, in a sentence or two. */
  means: string;
  action: string;
  opened: boolean;
  onClose: () => void;
  onSend: () => void;
  pending: boolean;
  /** Why it was refused. */
  error: unknown;
  /** Whether nothing is changed yet. */
  idle: boolean;
  children: ReactNode;
}

/** A dialog of a few fields that changes something of a run. */
export function Asking({ title, means, action, opened, onClose, onSend, pending, error, idle, children }: Props) {
  const t = useText().common.actions;
  return (
    <Modal opened={opened} onClose={onClose} title={title.replace("…", "")} size={460}>
      <Form onSend={onSend} refusal={error}>
        <Stack gap="md">
          {error ? <ErrorNotice error={error} /> : null}
          {children}
          <Text size="sm" c="dimmed">
            {means}
          </Text>
          <Group justify="flex-end" gap="sm">
            <Button variant="default" onClick={onClose}>
              {t.cancel}
            </Button>
            <Button type="submit" loading={pending} disabled={idle}>
              {action}
            </Button>
          </Group>
        </Stack>
      </Form>
    </Modal>
  );
}
