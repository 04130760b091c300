import { Button, Group, Progress, Text, Title } from "@mantine/core";
import { ArrowLeft, CirclePause, CirclePlay } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Run } from "@/api/types";
import { datasetLabel } from "@/features/data/texts";
import { useText } from "@/i18n/whole";
import { compactCount, duration } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { CheckpointButton } from "./commands/CheckpointButton";
import { MoreMenu } from "./commands/MoreMenu";
import { ForkedFrom } from "./ForkedFrom";
import styles from "./RunHeader.module.css";
import { RunName } from "./RunName";
import { isReplay, stateOf } from "./replay";
import { isActive, StateBadge } from "./StateBadge";
import { StopButton } from "./StopButton";
import { useRunCommand } from "./useRunCommands";

/** Name, state, progress and commands of a run. */
export function RunHeader({ run, feed, children }: { run: Run; feed: RunFeed; children: ReactNode }) {
  const t = useText();
  useTopic(feed, "state");
  useTopic(feed, "checkpoints");
  const state = stateOf(run, feed.view);
  return (
    <header className={styles.header}>
      <div className={styles.line}>
        <Link to="/runs" className={styles.back} aria-label={t.runs.title}>
          <ArrowLeft size={18} aria-hidden />
        </Link>
        <Title order={1} className={styles.title}>
          <RunName run={run} label={t.train.name} />
        </Title>
        <StateBadge state={state} desired={run.desired} />
        <Text c="dimmed" size="sm" className={styles.facts}>
          {run.model} · {datasetLabel(run.dataset, t)} · {t.runs.parametersOf(compactCount(run.parameters))}
          {run.forked_from && (
            <>
              {" · "}
              <ForkedFrom origin={run.forked_from} />
            </>
          )}
        </Text>
        <Group gap={8} className={styles.actions} wrap="nowrap">
          <Commands run={run} state={state} saved={feed.view.checkpoints.length > 0} />
          {children}
        </Group>
      </div>
      <RunProgress run={run} feed={feed} active={isActive(state)} />
    </header>
  );
}

function Commands({ run, state, saved }: { run: Run; state: Run["state"]; saved: boolean }) {
  const t = useText().runs.actions;
  const command = useRunCommand(run.id);
  const send = (name: "pause" | "resume" | "stop") => () => command.mutate(name);
  const resumable = state === "paused" || state === "interrupted";
  return (
    <>
      {isActive(state) && (
        <Button
          variant="default"
          size="xs"
          leftSection={<CirclePause size={15} aria-hidden />}
          onClick={send("pause")}
          disabled={run.desired !== "run" || command.isPending}
        >
          {t.pause}
        </Button>
      )}
      {resumable && (
        <Button
          size="xs"
          leftSection={<CirclePlay size={15} aria-hidden />}
          onClick={send("resume")}
          loading={command.isPending && command.variables === "resume"}
        >
          {t.resume}
        </Button>
      )}
      {isTrained(state) && <CheckpointButton run={run} />}
      {(isActive(state) || state === "paused") && (
        <StopButton onStop={send("stop")} disabled={run.desired === "stop" || command.isPending} />
      )}
      <MoreMenu run={run} state={state} saved={saved} />
    </>
  );
}

/** Whether a process works on it at the moment. */
const isTrained = (state: Run["state"]) => state === "starting" || state === "running";

function RunProgress({ run, feed, active }: { run: Run; feed: RunFeed; active: boolean }) {
  const t = useText().runs.progress;
  useTopic(feed, "progress");
  const progress = isReplay(run, feed.view) ? null : feed.view.progress;
  const { step, steps, epoch, epochs } = progress ?? run;
  // Before the first step is planned there is nothing to say; and nothing to wait for, once the run has ended.
  const begun = steps > 0;
  if (!begun && !active) return null;
  const share = begun ? (100 * step) / steps : 0;
  return (
    <div className={styles.progress}>
      <Progress.Root size={8} className={styles.bar}>
        <Progress.Section value={share} animated={active} striped={active} aria-label={t.label} />
      </Progress.Root>
      <dl className={styles.numbers} hidden={!begun}>
        <Fact name={Math.floor(share) === 100 ? "" : `${Math.floor(share)}%`} value={t.epoch(epoch, epochs)} />
        <Fact name="" value={t.step(step, steps)} />
        {progress && <Fact name={t.elapsed} value={duration(progress.elapsed)} />}
        {active && typeof progress?.eta === "number" && <Fact name={t.eta} value={duration(progress.eta)} />}
        {typeof progress?.samples_per_second === "number" && (
          <Fact name={t.throughput} value={t.perSecond(compactCount(progress.samples_per_second))} />
        )}
      </dl>
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
