import { Button, Loader, Text } from "@mantine/core";
import { useInterval } from "@mantine/hooks";
import { useState } from "react";
import { useText } from "@/i18n";
import { duration } from "@/lib/format";
import styles from "./Imports.module.css";

/** What is being opened, for how long already, and a way out. */
export function Progress({ name, onCancel }: { name: string; onCancel: () => void }) {
  const t = useText().imports;
  const [seconds, setSeconds] = useState(0);
  useInterval(() => setSeconds((before) => before + 1), 1000, { autoInvoke: true });
  return (
    <div className={styles.progress} data-testid="import-progress">
      <Loader size={16} />
      <Text size="sm" role="status">
        {t.opening(name)}
      </Text>
      <Text size="sm" c="dimmed" aria-hidden className={styles.seconds}>
        {seconds >= 2 && duration(seconds)}
      </Text>
      <Button size="compact-sm" variant="default" onClick={onCancel}>
        {t.cancel}
      </Button>
    </div>
  );
}
