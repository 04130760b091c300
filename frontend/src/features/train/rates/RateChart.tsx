import "uplot/dist/uPlot.min.css";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { RateSearch } from "@/api/types";
import type { Line } from "@/features/charts/lines";
import { type Hover, LinePlot } from "@/features/charts/plot";
import { useText } from "@/i18n/whole";
import { nearest } from "@/lib/downsample";
import { shortNumber } from "@/lib/format";
import { Series } from "@/live/series";
import styles from "./RatePanel.module.css";
import { topOf } from "./top";

const HEIGHT = 170;
/** As the service smooths, so that the curve is the one that its suggestion is read from. */
const SMOOTHING = 0.9;
const SETTINGS = { axis: "step", smoothing: SMOOTHING, logarithmic: false, logarithmicX: true, zoom: null } as const;

/** The loss of each step over the logarithm of its rate, with the suggestion marked. */
export function RateChart({ report, suggestion }: { report: RateSearch; suggestion: number | null }) {
  const t = useText().train.rates;
  const scheme = useComputedColorScheme("light");
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<LinePlot | null>(null);
  const latest = useRef({ report, suggestion, lines: [lineOf(report)] });
  if (latest.current.report !== report) latest.current = { report, suggestion, lines: [lineOf(report)] };
  const [hover, setHover] = useState<Hover | null>(null);

  useEffect(() => {
    const host = element.current;
    if (host === null) return;
    const current = new LinePlot({
      element: host,
      lines: () => latest.current.lines,
      span: () => latest.current.lines,
      scheme,
      height: HEIGHT,
      settings: () => SETTINGS,
      onZoom: () => {},
      onHover: setHover,
      single: true,
      mark: () => latest.current.suggestion,
      top: () => topOf(latest.current.report.smoothed),
    });
    plot.current = current;
    const size = new ResizeObserver(() => {
      current.resize(host.clientWidth, HEIGHT);
      current.draw();
    });
    size.observe(host);
    return () => {
      size.disconnect();
      current.destroy();
      plot.current = null;
    };
  }, [scheme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is what is drawn
  useEffect(() => plot.current?.draw(), [report]);

  const { rates, losses, smoothed } = report;
  const at = hover ? nearest(Float64Array.from(rates), hover.x) : null;
  const lowest = smoothed.indexOf(Math.min(...smoothed));
  const summary = [0, lowest, smoothed.length - 1].map(
    (place) => `${t.loss} ${shortNumber(smoothed[place])} (${t.rate} ${shortNumber(rates[place])})`,
  );
  return (
    <figure className={styles.chart} aria-label={`${t.title}: ${summary.join(", ")}`}>
      <div className={styles.plot} ref={element} />
      <figcaption className={styles.axes} aria-hidden>
        <span>
          {at === null ? (
            t.title
          ) : (
            <>
              {t.loss} <b>{shortNumber(losses[at])}</b> · {t.rate} <b>{shortNumber(rates[at])}</b>
            </>
          )}
        </span>
        <span>{t.rate} →</span>
      </figcaption>
    </figure>
  );
}

function lineOf({ rates, losses }: RateSearch): Line {
  const series = new Series("loss");
  rates.forEach((rate, step) => {
    series.append(rate, step, step, step, losses[step] as number);
  });
  return { id: "loss", label: "loss", colour: 0, series };
}
