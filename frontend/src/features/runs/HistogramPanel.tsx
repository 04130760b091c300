import { SegmentedControl, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { histogramGrid } from "@/features/charts/grids";
import { HeatCanvas } from "@/features/charts/HeatCanvas";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import type { HistogramTracks } from "@/live/tracks";
import { useTopic } from "@/live/useRunFeed";
import styles from "./ParametersPanel.module.css";
import { ThinnedNote } from "./ThinnedNote";

const HEIGHT = 190;

/** How the values of one parameter, or of its gradient, are distributed over the course of the run. */
export function HistogramPanel({ feed, name }: { feed: RunFeed; name: string | null }) {
  const t = useText().runs.parameters;
  useTopic(feed, "histograms");
  const [of, setOf] = useState<"weight" | "gradient">("weight");
  if (name === null) return <Text c="dimmed">{t.histogramPick}</Text>;
  const frames = feed.view.histograms.of(name, of);
  return (
    <figure className={styles.card}>
      <figcaption className={styles.caption}>
        <span className={styles.title}>{t.histogram(name)}</span>
        <SegmentedControl
          size="xs"
          aria-label={t.of}
          value={of}
          onChange={(value) => setOf(value as "weight" | "gradient")}
          data={[
            { value: "weight", label: t.weights },
            { value: "gradient", label: t.gradients },
          ]}
        />
      </figcaption>
      {frames.length === 0 ? (
        <Text c="dimmed" size="sm">
          {t.histogramNone}
        </Text>
      ) : (
        <Picture tracks={feed.view.histograms} name={name} of={of} />
      )}
      <ThinnedNote feed={feed} of={["histograms"]} />
    </figure>
  );
}

function Picture({ tracks, name, of }: { tracks: HistogramTracks; name: string; of: "weight" | "gradient" }) {
  const t = useText().runs.parameters;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tracks are the same object; the version tells of growth
  const shown = useMemo(() => histogramGrid(tracks.of(name, of)), [tracks, tracks.version, name, of]);
  const describe = (row: number, column: number) => {
    const { low, high, rows, steps } = shown;
    return `${t.steps} ${steps[column]} · ${t.value} ${shortNumber(high - ((row + 0.5) * (high - low)) / rows)}`;
  };
  return (
    <>
      <div className={styles.plot}>
        <div className={styles.values} aria-hidden="true">
          <span>{shortNumber(shown.high)}</span>
          <span>{shortNumber((shown.high + shown.low) / 2)}</span>
          <span>{shortNumber(shown.low)}</span>
        </div>
        <HeatCanvas label={t.histogram(name)} height={HEIGHT} grid={shown} describe={describe} />
      </div>
      <div className={styles.axis}>
        <span>
          {t.steps} {shown.steps[0]}
        </span>
        <span>{shown.steps.at(-1)}</span>
      </div>
      <Text size="xs" c="dimmed">
        {t.histogramHint}
      </Text>
    </>
  );
}
