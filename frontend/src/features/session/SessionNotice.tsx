import { Button, Code, Paper, Stack, Text, Title } from "@mantine/core";
import { queryClient } from "@/api/queries";
import { renewSession } from "@/api/session";
import { useText } from "@/i18n";
import { Logo } from "@/ui/Logo";
import styles from "./SessionNotice.module.css";

/** How to get a session: LayerLoom has no accounts, its terminal prints an address with a code. */
export function SessionNotice() {
  const t = useText().common.session;
  const again = () => {
    renewSession();
    void queryClient.invalidateQueries();
  };
  return (
    <main className={styles.page}>
      <Paper withBorder shadow="sm" p={32} maw={520} radius="lg">
        <Stack>
          <Logo size={44} />
          <Title order={1} size="h3">
            {t.title}
          </Title>
          <Text>{t.body}</Text>
          <Text c="dimmed" size="sm">
            {t.where}
          </Text>
          <Code block>{`LayerLoom is ready: ${location.origin}/?code=…`}</Code>
          <Text c="dimmed" size="sm">
            {t.again}
          </Text>
          <Code block>layerloom open</Code>
          <Button onClick={again}>{t.retry}</Button>
        </Stack>
      </Paper>
    </main>
  );
}
