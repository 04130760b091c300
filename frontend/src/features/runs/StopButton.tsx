import { Button, Group, Popover, Text } from "@mantine/core";
import { CircleStop } from "lucide-react";
import { useState } from "react";
import { useText } from "@/i18n/whole";

/** Ends a run for good, and therefore asks first. */
export function StopButton({ onStop, disabled }: { onStop: () => void; disabled: boolean }) {
  const t = useText().runs;
  const [asked, setAsked] = useState(false);
  return (
    <Popover
      opened={asked}
      onChange={setAsked}
      width={290}
      position="bottom-end"
      shadow="md"
      withArrow
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <Button
          variant="default"
          size="xs"
          leftSection={<CircleStop size={15} aria-hidden />}
          onClick={() => setAsked(!asked)}
          disabled={disabled}
        >
          {t.actions.stop}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t.actions.stop}>
        <Text size="sm">{t.stopping.ask}</Text>
        <Group justify="flex-end" gap={8} mt="sm">
          <Button variant="default" size="xs" onClick={() => setAsked(false)}>
            {t.stopping.keep}
          </Button>
          <Button
            color="red.9"
            size="xs"
            onClick={() => {
              setAsked(false);
              onStop();
            }}
            data-autofocus
            data-testid="confirm-stop"
          >
            {t.stopping.stop}
          </Button>
        </Group>
      </Popover.Dropdown>
    </Popover>
  );
}
