import { Button, SegmentedControl, Slider, Switch, Text } from "@mantine/core";
import { ZoomOut } from "lucide-react";
import { useState } from "react";
import { useText } from "@/i18n/whole";
import type { Axis } from "@/live/series";
import styles from "./ChartBoard.module.css";
import { LineChart, type Zoom } from "./LineChart";
import type { Line } from "./lines";
import { useChartSettings } from "./settings";

export interface ChartSpec {
  id: string;
  title: string;
  lines: Line[];
}

interface Props {
  charts: ChartSpec[];
  subscribe: (listener: () => void) => () => void;
  /** A part of the axis was chosen: of long curves only a summary is here. */
  onZoom: (axis: Axis, range: readonly [number, number]) => void;
}

/** Charts side by side, with one zoom, one axis and one smoothing for all of them. */
export function ChartBoard({ charts, subscribe, onZoom }: Props) {
  const { axis } = useChartSettings();
  const [zoom, setZoom] = useState<{ axis: Axis; range: Zoom }>({ axis, range: null });
  // A part that was chosen on one axis means nothing on another.
  const range = zoom.axis === axis ? zoom.range : null;
  const span = charts.flatMap((chart) => chart.lines);
  return (
    <section>
      <Toolbar zoomed={range !== null} onReset={() => setZoom({ axis, range: null })} />
      <div className={styles.grid}>
        {charts.map((chart) => (
          <LineChart
            key={chart.id}
            title={chart.title}
            lines={chart.lines}
            span={span}
            zoom={range}
            onZoom={(next) => {
              setZoom({ axis, range: next });
              if (next !== null) onZoom(axis, next);
            }}
            subscribe={subscribe}
          />
        ))}
      </div>
    </section>
  );
}

function Toolbar({ zoomed, onReset }: { zoomed: boolean; onReset: () => void }) {
  const t = useText().runs.charts;
  const { smoothing, axis, logarithmic, logarithmicX } = useChartSettings();
  const set = useChartSettings.setState;
  return (
    <div className={styles.toolbar}>
      <div className={styles.smoothing}>
        <Text size="sm" id="smoothing-label">
          {t.smoothing}
        </Text>
        <Slider
          w={150}
          size="sm"
          min={0}
          max={0.99}
          step={0.01}
          value={smoothing}
          onChange={(value) => set({ smoothing: value })}
          label={null}
          thumbProps={{ "aria-labelledby": "smoothing-label" }}
        />
        <output className={styles.number}>{smoothing.toFixed(2)}</output>
      </div>
      <SegmentedControl
        size="xs"
        aria-label={t.axis}
        value={axis}
        onChange={(value) => set({ axis: value as Axis })}
        data={[
          { value: "step", label: t.step },
          { value: "epoch", label: t.epoch },
          { value: "time", label: t.time },
          { value: "wall", label: t.wall },
        ]}
      />
      <Switch
        size="sm"
        label={t.logarithmicX}
        checked={logarithmicX && axis !== "wall"}
        disabled={axis === "wall"}
        onChange={(event) => set({ logarithmicX: event.currentTarget.checked })}
      />
      <Switch
        size="sm"
        label={t.logarithmic}
        checked={logarithmic}
        onChange={(event) => set({ logarithmic: event.currentTarget.checked })}
      />
      {zoomed ? (
        <Button size="compact-sm" variant="light" leftSection={<ZoomOut size={14} aria-hidden />} onClick={onReset}>
          {t.resetZoom}
        </Button>
      ) : (
        <Text size="xs" c="dimmed" className={styles.hint}>
          {t.zoomHint}
        </Text>
      )}
    </div>
  );
}
