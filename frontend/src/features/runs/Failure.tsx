import { Alert, Button, Code, CopyButton, Group, Text } from "@mantine/core";
import { Check, Copy, OctagonAlert } from "lucide-react";
import type { Run } from "@/api/types";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { ProblemText } from "@/ui/ProblemText";
import styles from "./Failure.module.css";
import { isReplay } from "./replay";

/** Why a run failed, in words, and the trainer's own traceback. */
export function Failure({ run, feed }: { run: Run; feed: RunFeed }) {
  const t = useText();
  useTopic(feed, "state");
  // An earlier attempt's problem says nothing of a run that went on.
  const found = isReplay(run, feed.view) ? null : feed.view.problem;
  const problem = found?.problem ?? run.problem;
  if (!problem) return null;
  return (
    <Alert
      color={problem.severity === "error" ? "red" : "yellow"}
      icon={<OctagonAlert size={18} aria-hidden />}
      title={t.problems[problem.code]}
      role="alert"
      className={styles.alert}
    >
      <Text size="sm" className={styles.message}>
        <ProblemText code={problem.code} message={problem.message} />
      </Text>
      {found?.traceback && <Traceback text={found.traceback} />}
    </Alert>
  );
}

/** Folded: it is for those who know the trainer's code, and would push the curves off the page. */
function Traceback({ text }: { text: string }) {
  const t = useText().runs.failure;
  return (
    <details className={styles.details}>
      <summary>{t.traceback}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label={t.traceback}>
        <Code block>{text}</Code>
      </section>
      <Group mt={6}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button
              size="compact-xs"
              variant="default"
              onClick={copy}
              leftSection={copied ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
            >
              {t.copy}
            </Button>
          )}
        </CopyButton>
      </Group>
    </details>
  );
}
