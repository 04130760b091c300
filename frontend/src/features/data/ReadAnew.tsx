import { Button, Group } from "@mantine/core";
import { useText } from "@/i18n/whole";
import { ErrorNotice } from "@/ui/States";
import styles from "./Columns.module.css";

interface Props {
  /** Whether there is something to apply. */
  changed: boolean;
  apply: { mutate: () => void; reset: () => void; isPending: boolean; error: unknown };
  onReset: () => void;
}

/** Applies what was chosen about how an upload is read, or takes it back. */
export function ReadAnew({ changed, apply, onReset }: Props) {
  const t = useText().data.columns;
  return (
    <>
      {changed && (
        <Group mt="md" gap="sm">
          <Button size="xs" onClick={() => apply.mutate()} loading={apply.isPending} data-testid="read-anew">
            {t.apply}
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={apply.isPending}
            onClick={() => {
              apply.reset();
              onReset();
            }}
          >
            {t.reset}
          </Button>
        </Group>
      )}
      {apply.error && (
        <div className={styles.failure}>
          <ErrorNotice error={apply.error} />
        </div>
      )}
    </>
  );
}
