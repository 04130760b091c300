import { useCallback } from "react";
import type { Run } from "@/api/types";
import { ChartBoard, type ChartSpec } from "@/features/charts/ChartBoard";
import { seriesTitle } from "@/features/charts/groups";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";
import { useRunFeeds, useTopics } from "@/live/useRunFeed";
import { stableIndices } from "@/ui/colours";
import { runLabels } from "./labels";
import { rank } from "./rank";

/** The same curve of several runs in one chart. */
export function CompareBoard({ runs }: { runs: Run[] }) {
  const t = useText();
  const ids = runs.map((run) => run.id);
  const feeds = useRunFeeds(ids);
  useTopics(feeds, "series");
  const key = ids.join(",");
  // biome-ignore lint/correctness/useExhaustiveDependencies: feeds are told apart by their ids
  const subscribe = useCallback((listener: () => void) => subscribeAll(feeds, listener), [key]);
  const colours = stableIndices(ids);
  const labels = runLabels(runs);
  const charts = new Map<string, ChartSpec>();
  feeds.forEach((feed, index) => {
    for (const series of feed.view.series.values()) {
      const chart = charts.get(series.name) ?? { id: series.name, title: seriesTitle(series.name, t), lines: [] };
      charts.set(series.name, chart);
      chart.lines.push({
        id: `${feed.id}:${series.name}`,
        label: labels[index] ?? feed.id,
        colour: colours.get(feed.id) ?? 0,
        series,
        exact: series.name !== "train/loss",
      });
    }
  });
  const ordered = [...charts.values()].sort((a, b) => rank(a.id) - rank(b.id));
  const refine = (...part: Parameters<RunFeed["refine"]>) => {
    for (const feed of feeds) feed.refine(...part);
  };
  return <ChartBoard charts={ordered} subscribe={subscribe} onZoom={refine} />;
}

function subscribeAll(feeds: RunFeed[], listener: () => void): () => void {
  const ends = feeds.map((feed) => feed.subscribe("series", listener));
  return () => {
    for (const end of ends) end();
  };
}
