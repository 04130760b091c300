import { SegmentedControl, Text } from "@mantine/core";
import { useCallback, useState } from "react";
import { histogramGrid } from "@/features/charts/grids";
import { HeatCanvas } from "@/features/charts/HeatCanvas";
import { useText } from "@/i18n";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import styles from "./ParametersPanel.module.css";

const HEIGHT = 190;

/** How the values of one parameter, or of its gradient, are distributed over the course of the run. */
export function HistogramPanel({ feed, name }: { feed: RunFeed; name: string | null }) {
  const t = useText().runs.parameters;
  useTopic(feed, "histograms");
  const [of, setOf] = useState<"weight" | "gradient">("weight");
  const subscribe = useCallback((listener: () => void) => feed.subscribe("histograms", listener), [feed]);
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
        <Picture feed={feed} name={name} of={of} subscribe={subscribe} />
      )}
    </figure>
  );
}

function Picture(props: {
  feed: RunFeed;
  name: string;
  of: "weight" | "gradient";
  subscribe: (listener: () => void) => () => void;
}) {
  const t = useText().runs.parameters;
  const { feed, name, of } = props;
  const grid = () => histogramGrid(feed.view.histograms.of(name, of));
  const shown = grid();
  const describe = (row: number, column: number) => {
    const { low, high, rows, steps } = grid();
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
        <HeatCanvas
          label={t.histogram(name)}
          height={HEIGHT}
          grid={grid}
          describe={describe}
          subscribe={props.subscribe}
          of={`${of}:${name}`}
        />
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
