import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useText } from "@/i18n/whole";
import { nearest } from "@/lib/downsample";
import { type Drawable, drawLoop } from "@/live/loop";
import { curveColour } from "@/ui/colours";
import { figureText, splitName, tickText } from "./groups";
import styles from "./LineChart.module.css";
import type { Line } from "./lines";
import { type Hover, LinePlot } from "./plot";
import { useChartSettings } from "./settings";

export type Zoom = readonly [number, number] | null;

interface Props {
  title: string;
  lines: readonly Line[];
  /** Lines whose whole course decides what the horizontal axis shows: those of all charts side by side. */
  span: readonly Line[];
  zoom: Zoom;
  onZoom: (zoom: Zoom) => void;
  /** Registers for changes of the data; returns how to end it. */
  subscribe: (listener: () => void) => () => void;
  height?: number;
}

/** Curves over steps, epochs or time. They are drawn outside React, at most ten times a second and only on screen. */
export function LineChart({ title, lines, span, zoom, onZoom, subscribe, height = 280 }: Props) {
  const t = useText();
  const scheme = useComputedColorScheme("light");
  const { smoothing, axis, logarithmic, logarithmicX: wished } = useChartSettings();
  const logarithmicX = wished && axis !== "wall";
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<LinePlot | null>(null);
  const settings = useRef({ smoothing, axis, logarithmic, logarithmicX, zoom, onZoom });
  settings.current = { smoothing, axis, logarithmic, logarithmicX, zoom, onZoom };
  const [hover, setHover] = useState<Hover | null>(null);
  const lineKey = lines.map((line) => line.id).join("\n");
  const latest = useRef({ lines, span });
  latest.current = { lines, span };

  // biome-ignore lint/correctness/useExhaustiveDependencies: lines are told apart by their ids; smoothing on or off changes what is drawn
  useEffect(() => {
    const host = element.current;
    if (host === null) return;
    const current = new LinePlot({
      element: host,
      lines: () => latest.current.lines,
      span: () => latest.current.span,
      scheme,
      height,
      settings: () => settings.current,
      onZoom: (next) => settings.current.onZoom(next),
      onHover: setHover,
      tick: (value) => tickText(metricOf(latest.current.lines[0]), value),
    });
    plot.current = current;
    let onScreen = true;
    const drawable: Drawable = { visible: () => onScreen, draw: () => current.draw() };
    const watch = new IntersectionObserver(([entry]) => {
      onScreen = entry?.isIntersecting ?? true;
      if (onScreen) drawLoop.mark(drawable);
    });
    watch.observe(host);
    const size = new ResizeObserver(() => {
      current.resize(host.clientWidth, height);
      drawLoop.mark(drawable);
    });
    size.observe(host);
    const end = subscribe(() => drawLoop.mark(drawable));
    return () => {
      end();
      size.disconnect();
      watch.disconnect();
      drawLoop.forget(drawable);
      current.destroy();
      plot.current = null;
    };
  }, [lineKey, scheme, height, logarithmic, logarithmicX, axis === "wall", smoothing > 0, subscribe]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each of these changes what is shown of the same data
  useEffect(() => plot.current?.draw(), [smoothing, axis, zoom]);

  return (
    <figure className={styles.chart} aria-label={summary(title, lines)}>
      <figcaption className={styles.title}>
        <span>{title}</span>
        <Legend lines={lines} scheme={scheme} />
      </figcaption>
      <div className={styles.plot} ref={element} style={{ height }}>
        {hover && <Tooltip lines={lines} hover={hover} scheme={scheme} />}
      </div>
      <div className={styles.axis}>{t.runs.charts[axis]}</div>
    </figure>
  );
}

/** What a line shows, whose series is called by the part of the data, too. */
const metricOf = (line: Line | undefined) => splitName(line?.series.name ?? "").metric;

function summary(title: string, lines: readonly Line[]): string {
  const parts = lines.map((line) => `${line.label} ${figureText(metricOf(line), line.series.last())}`);
  return `${title}: ${parts.join(", ")}`;
}

function Legend({ lines, scheme }: { lines: readonly Line[]; scheme: "light" | "dark" }) {
  return (
    <span className={styles.legend}>
      {lines.map((line) => (
        <span key={line.id} className={styles.entry} title={line.label}>
          <Swatch line={line} scheme={scheme} />
          <span className={styles.label}>{line.label}</span>
        </span>
      ))}
    </span>
  );
}

function Swatch({ line, scheme }: { line: Line; scheme: "light" | "dark" }) {
  return (
    <svg width="14" height="8" aria-hidden="true">
      <line
        x1="0"
        y1="4"
        x2="14"
        y2="4"
        stroke={curveColour(line.colour, scheme)}
        strokeWidth="2.5"
        strokeDasharray={line.dashed ? "4 2" : undefined}
      />
    </svg>
  );
}

/** Exact values nearest to the pointer, highest first. */
function Tooltip(props: { lines: readonly Line[]; hover: Hover; scheme: "light" | "dark" }) {
  const { axis } = useChartSettings();
  const { lines, hover, scheme } = props;
  const rows = lines
    .map((line) => {
      const index = nearest(line.series.axis(axis).view(), hover.x);
      const { steps, values, means } = line.series;
      const summary = line.series.isSummary(index);
      return { line, step: steps.at(index), summary, value: (summary ? means : values).at(index) };
    })
    .filter((row) => row.value !== undefined)
    .sort((a, b) => rank(b.value) - rank(a.value));
  if (rows.length === 0) return null;
  return (
    <div className={styles.tooltip} style={{ [hover.side === "right" ? "left" : "right"]: hover.offset + 12 }}>
      {rows.slice(0, 12).map(({ line, step, value, summary }) => (
        <div key={line.id} className={styles.row}>
          <Swatch line={line} scheme={scheme} />
          <span className={styles.label}>{line.label}</span>
          <span className={styles.step}>{step}</span>
          <b>
            {summary ? "≈ " : ""}
            {figureText(metricOf(line), value)}
          </b>
        </div>
      ))}
    </div>
  );
}

const rank = (value: number) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value);
