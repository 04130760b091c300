import { Text, TextInput } from "@mantine/core";
import { Activity, Search } from "lucide-react";
import { useMemo, useState } from "react";
import { normGrid } from "@/features/charts/grids";
import { HeatCanvas } from "@/features/charts/HeatCanvas";
import { useText } from "@/i18n/whole";
import { VIRIDIS_GRADIENT } from "@/lib/colormap";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { Empty } from "@/ui/States";
import { HistogramPanel } from "./HistogramPanel";
import styles from "./ParametersPanel.module.css";
import { ParameterTable } from "./ParameterTable";
import { Rates } from "./Rates";

/** Every parameter of the network while it learns: norms, their course, and the distribution of a chosen one. */
export function ParametersPanel({ feed }: { feed: RunFeed }) {
  const t = useText().runs.parameters;
  useTopic(feed, "statistics");
  const [pattern, setPattern] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const tracks = feed.view.statistics;
  const count = tracks.norms.size;
  // biome-ignore lint/correctness/useExhaustiveDependencies: names are only added, so that their number tells of all
  const found = useMemo(() => matching(tracks.names, pattern), [tracks, count, pattern]);
  if (tracks.steps.length === 0) {
    return (
      <Empty icon={<Activity size={26} aria-hidden />} title={t.none}>
        {t.noneHint}
      </Empty>
    );
  }
  const { names, valid } = found;
  const selected = chosen ?? names[0] ?? null;
  return (
    <div className={styles.panel}>
      <div className={styles.list} data-search>
        <Rates feed={feed} />
        <TextInput
          size="xs"
          placeholder={t.filter}
          aria-label={t.filter}
          leftSection={<Search size={14} aria-hidden />}
          value={pattern}
          error={valid ? undefined : t.badFilter}
          onChange={(event) => setPattern(event.currentTarget.value)}
        />
        <ParameterTable
          tracks={tracks}
          names={names}
          selected={selected}
          onSelect={setChosen}
          onClear={() => setPattern("")}
        />
      </div>
      <div className={styles.side}>
        <GradientMap feed={feed} names={names} />
        <HistogramPanel feed={feed} name={selected} />
      </div>
    </div>
  );
}

function matching(names: string[], pattern: string): { names: string[]; valid: boolean } {
  try {
    const expression = new RegExp(pattern, "i");
    return { names: names.filter((name) => expression.test(name)), valid: true };
  } catch {
    return { names, valid: false };
  }
}

function GradientMap({ feed, names }: { feed: RunFeed; names: string[] }) {
  const t = useText().runs.parameters;
  const tracks = feed.view.statistics;
  const grid = useMemo(() => normGrid(tracks, names, "gradient"), [tracks, tracks.version, names]);
  const describe = (row: number, column: number) => {
    const sample = grid.samples[column] ?? 0;
    const name = names[row] ?? "";
    const value = tracks.norms.get(name)?.gradient.at(sample);
    return `${name} · ${t.steps} ${tracks.steps.at(sample)} · ${shortNumber(value)}`;
  };
  return (
    <figure className={styles.card}>
      <figcaption className={styles.caption}>
        <span className={styles.title}>{t.heatmap}</span>
        <span className={styles.scale} style={{ background: VIRIDIS_GRADIENT }} aria-hidden="true" />
      </figcaption>
      <HeatCanvas
        label={t.heatmap}
        height={Math.min(300, Math.max(120, names.length * 14))}
        grid={grid}
        describe={describe}
      />
      <div className={styles.axis}>
        <span>
          {t.steps} {tracks.steps.at(0)}
        </span>
        <span>{tracks.steps.last()}</span>
      </div>
      <Text size="xs" c="dimmed">
        {t.heatmapHint}
      </Text>
    </figure>
  );
}
