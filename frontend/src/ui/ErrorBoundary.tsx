import { Button, Code, Group, Stack, Text, Title } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { useText } from "@/i18n";

interface Props {
  children: ReactNode;
  /** Where the reader is: whoever goes elsewhere has left what broke. */
  at?: unknown;
  /** Another try, where drawing once more is none. */
  again?: () => void;
}
interface State {
  error: Error | null;
  at: unknown;
}

/** Catches what breaks while rendering; the rest of the page stays. */
export class ErrorBoundary extends Component<Props, State> {
  override state: State = { error: null, at: this.props.at };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  static getDerivedStateFromProps({ at }: Props, state: State) {
    return at === state.at ? null : { error: null, at };
  }

  override render() {
    const { error } = this.state;
    const { children, again = () => this.setState({ error: null }) } = this.props;
    return error ? <Crash error={error} again={again} /> : children;
  }
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
