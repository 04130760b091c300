import { Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useRouteError } from "react-router";
import { useText } from "@/i18n";

/** Catches what breaks while rendering; the rest of the page stays. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    return error ? <Crash error={error} again={() => this.setState({ error: null })} /> : this.props.children;
  }
}

/** The same for a route of the router. */
export function RouteCrash() {
  return <Crash error={useRouteError()} again={() => location.reload()} />;
}

function Crash({ error, again }: { error: unknown; again: () => void }) {
  const t = useText().common;
  const details = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return (
    <Stack p="xl" maw={760} mx="auto" role="alert">
      <Title order={2}>{t.error.crash}</Title>
      <Text>{t.error.crashHint}</Text>
      <Group>
        <Button onClick={() => location.reload()}>{t.actions.reload}</Button>
        <Button variant="default" onClick={again}>
          {t.actions.retry}
        </Button>
      </Group>
      <Code block mah={320} style={{ overflow: "auto" }}>
        {details}
      </Code>
    </Stack>
  );
}
