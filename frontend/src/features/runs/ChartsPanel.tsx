import { Loader, Text } from "@mantine/core";
import { useCallback } from "react";
import { ChartBoard } from "@/features/charts/ChartBoard";
import { chartsOf } from "@/features/charts/groups";
import { useText } from "@/i18n/whole";
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
    // Why it ended is told above.
    if (!isActive(state)) return <Text c="dimmed">{t.runs.link.nothing}</Text>;
    return (
      <Empty icon={<Loader size={26} />} title={t.runs.link.waiting}>
        {state === "queued" ? t.runs.link.queued : t.runs.link.waitingHint}
      </Empty>
    );
  }
  return (
    <>
      <Figures feed={feed} />
      <ChartBoard charts={chartsOf(series.values(), t)} subscribe={subscribe} onZoom={feed.refine} />
    </>
  );
}
