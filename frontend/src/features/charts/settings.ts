import { create } from "zustand";
import { persist } from "zustand/middleware";
import type { Axis } from "@/live/series";

interface ChartSettings {
  /** Weight of the past in the shown average, 0–0.99. */
  smoothing: number;
  axis: Axis;
  logarithmic: boolean;
  /** Of the horizontal axis; the time of day has no logarithm. */
  logarithmicX: boolean;
}

/** How charts are shown; the same on every page, and after a reload. */
export const useChartSettings = create(
  persist((): ChartSettings => ({ smoothing: 0.6, axis: "step", logarithmic: false, logarithmicX: false }), {
    name: "layerloom.charts",
  }),
);
