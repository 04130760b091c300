import { Loader } from "@mantine/core";
import { useCallback } from "react";
import { ChartBoard } from "@/features/charts/ChartBoard";
import { chartsOf } from "@/features/charts/groups";
import { useText } from "@/i18n";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { Empty } from "@/ui/States";
import { Figures } from "./Figures";
import { isActive } from "./StateBadge";

/** The curves of a run. */
export function ChartsPanel({ feed }: { feed: RunFeed }) {
  const t = useText();
  useTopic(feed, "series");
  useTopic(feed, "state");
  const subscribe = useCallback((listener: () => void) => feed.subscribe("series", listener), [feed]);
  const { series, state } = feed.view;
  if (series.size === 0) {
    const waiting = isActive(state);
    return (
      <Empty icon={waiting && <Loader size={26} />} title={waiting ? t.runs.link.waiting : t.runs.states[state]}>
        {state === "queued" ? t.runs.link.queued : waiting && t.runs.link.waitingHint}
      </Empty>
    );
  }
  return (
    <>
      <Figures feed={feed} />
      <ChartBoard charts={chartsOf(series.values(), t)} subscribe={subscribe} />
    </>
  );
}
