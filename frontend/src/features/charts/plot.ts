import uPlot from "uplot";
import { clock, shortNumber, shortTick } from "@/lib/format";
import { curveColour, type Scheme } from "@/ui/colours";
import { extent, type Line, type LineData, type LineOptions, lineData } from "./lines";

/** Where the pointer is: the axis's value, and the side of the plot with room for a tooltip, in pixels from its edge. */
export interface Hover {
  x: number;
  side: "left" | "right";
  offset: number;
}

export interface PlotOptions {
  element: HTMLElement;
  /** Always the same number of lines, in the same order. */
  lines: () => readonly Line[];
  /** Lines whose whole course the horizontal axis shows. */
  span: () => readonly Line[];
  scheme: Scheme;
  height: number;
  settings: () => Omit<LineOptions, "width">;
  /** A part was chosen by dragging, or all of it by a double click. */
  onZoom: (zoom: readonly [number, number] | null) => void;
  /** The pointer is over a place of the axis, here or on a chart beside; null when it left. */
  onHover: (hover: Hover | null) => void;
  /** A chart by itself: the pointer is shown on no other, and no part of the axis can be chosen. */
  single?: boolean;
  /** A place of the axis that is marked. */
  mark?: () => number | null;
  /** How a tick of the vertical axis is written. */
  tick?: (value: number) => string;
  /** The highest value that is shown; lines are cut off there. */
  top?: () => number;
}

const SYNC = uPlot.sync("layerloom");
const INK = {
  light: { text: "#596070", grid: "#e9ebf0", bad: "#c0262d" },
  dark: { text: "#a3a9b6", grid: "#2a2f38", bad: "#ff8a84" },
};
const FONT = '11px system-ui, "Noto Sans CJK SC", sans-serif';
const FEW_POINTS = 60;
const LEAST_RIGHT = 12;

/** A uPlot chart of lines that grow. */
export class LinePlot {
  private readonly options: PlotOptions;
  private readonly plot: uPlot;
  private data: LineData[] = [];
  private updating = false;
  private hovered = false;
  /** The horizontal axis's texts. */
  private ticks: string[] = [];

  constructor(options: PlotOptions) {
    this.options = options;
    this.plot = new uPlot(this.configuration(), this.table(), options.element);
    this.draw();
  }

  destroy() {
    this.plot.destroy();
  }

  resize(width: number, height: number) {
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
  }

  /** Shows what the lines hold now. A chosen part of the axis stays chosen. */
  draw() {
    const settings = this.options.settings();
    const whole = extent(this.options.span(), settings.axis, settings.logarithmicX);
    const [left, max] = settings.zoom ?? whole;
    const min = settings.logarithmicX && left <= 0 ? whole[0] : left;
    this.updating = true;
    this.plot.batch(() => {
      this.plot.setData(this.table(), false);
      this.plot.setScale("x", { min, max });
    });
    this.updating = false;
    // The axis may have moved under a resting pointer.
    this.hover(this.plot);
  }

  private table(): uPlot.AlignedData {
    const { lines, element } = this.options;
    const width = Math.max(50, element.clientWidth);
    this.data = lines().map((line) => lineData(line, { ...this.options.settings(), width }));
    if (this.data.length === 0) return [[]];
    const tables = this.data.map(({ x, raw, smooth }) => [x, raw, smooth] as uPlot.AlignedData);
    return uPlot.join(tables);
  }

  private configuration(): uPlot.Options {
    const { lines, scheme, element, height, single = false, tick = shortTick } = this.options;
    const ink = INK[scheme];
    const { logarithmic, logarithmicX, smoothing, axis: shown } = this.options.settings();
    const axis = { stroke: ink.text, font: FONT, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false } };
    return {
      width: Math.max(50, element.clientWidth),
      height,
      padding: [10, (plot) => this.roomRight(plot), 0, 0],
      legend: { show: false },
      cursor: {
        ...(single ? {} : { sync: { key: SYNC.key, setSeries: false, scales: ["x", null] } }),
        drag: { x: !single, y: false, setScale: false },
        points: { size: 6 },
        y: false,
      },
      scales: {
        // As it is asked for: left to itself, a logarithmic scale goes on to the next power of ten.
        x: { time: shown === "wall", distr: logarithmicX ? 3 : 1, range: (_, min, max) => [min ?? 1, max ?? 10] },
        y: { distr: logarithmic ? 3 : 1, ...this.cutOff() },
      },
      axes: [
        {
          ...axis,
          ...(logarithmicX && { grid: { ...axis.grid, filter: decades } }),
          size: 26,
          space: shown === "wall" ? 84 : 64,
          values: (plot, splits) => {
            this.ticks = shown === "wall" ? clockTexts(plot, splits) : tickTexts(splits, shortTick);
            return this.ticks;
          },
        },
        { ...axis, size: 54, space: 34, values: (_, splits) => tickTexts(splits, tick) },
      ],
      series: [{}, ...lines().flatMap((line) => pair(line, scheme, smoothing))],
      hooks: {
        draw: [(plot) => this.markBroken(plot, ink.bad), (plot) => this.drawMark(plot, ink.text)],
        setSelect: [(plot) => this.choose(plot)],
        setCursor: [(plot) => this.hover(plot)],
        ready: [(plot) => plot.over.addEventListener("dblclick", () => this.options.onZoom(null))],
      },
    };
  }

  /** Marks every stretch without finite values, and names the step at which it began where there is room. */
  private markBroken(plot: uPlot, colour: string) {
    const { ctx } = plot;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.font = `${11 * devicePixelRatio}px system-ui`;
    const { left, top, width, height } = plot.bbox;
    const broken = this.data.flatMap((line) => line.broken).sort((a, b) => a.from - b.from);
    let free = left;
    for (const { from, to, step } of broken) {
      const start = plot.valToPos(from, "x", true);
      const end = Math.min(plot.valToPos(to, "x", true), left + width);
      if (end < left || start > left + width) continue;
      const shown = Math.max(left, start);
      ctx.globalAlpha = 0.1;
      ctx.fillRect(shown, top, end - shown, height);
      ctx.globalAlpha = 1;
      if (start >= left) dashed(ctx, start, top, height);
      if (shown < free) continue;
      free = nameStep(ctx, `NaN @ ${step}`, shown, left + width, top);
    }
    ctx.restore();
  }

  /** The last tick may stand at the plot's edge, and half of its text beyond. */
  private roomRight({ ctx }: uPlot): number {
    const last = this.ticks.findLast((text) => text !== "");
    if (last === undefined) return LEAST_RIGHT;
    ctx.save();
    ctx.font = FONT;
    const { width } = ctx.measureText(last);
    ctx.restore();
    return Math.max(LEAST_RIGHT, Math.ceil(width / 2) + 2);
  }

  private cutOff(): uPlot.Scale {
    const { top } = this.options;
    if (top === undefined) return {};
    return { range: (_, low, high) => uPlot.rangeNum(low ?? 0, Math.min(high ?? 1, top()), 0.1, true) };
  }

  private drawMark(plot: uPlot, colour: string) {
    const place = this.options.mark?.() ?? null;
    if (place === null) return;
    const { ctx } = plot;
    const { left, top, width, height } = plot.bbox;
    ctx.save();
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.font = `600 ${11 * devicePixelRatio}px system-ui`;
    const at = plot.valToPos(place, "x", true);
    dashed(ctx, at, top, height);
    nameStep(ctx, shortNumber(place), at, left + width, top);
    ctx.restore();
  }

  private choose(plot: uPlot) {
    const { left, width } = plot.select;
    if (this.updating || width < 4) return;
    this.options.onZoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  }

  private hover(plot: uPlot) {
    const left = plot.cursor.left ?? -1;
    if (left < 0) {
      if (this.hovered) this.options.onHover(null);
      this.hovered = false;
      return;
    }
    this.hovered = true;
    const place = plot.over.offsetLeft + left;
    const side = left > plot.over.clientWidth / 2 ? "left" : "right";
    const offset = side === "right" ? place : plot.width - place;
    this.options.onHover({ x: plot.posToVal(left, "x"), side, offset });
  }
}

function dashed(ctx: CanvasRenderingContext2D, left: number, top: number, height: number) {
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(left, top);
  ctx.lineTo(left, top + height);
  ctx.stroke();
}

/** Writes beside a line, on the side that has room. @returns where the next text may begin. */
function nameStep(ctx: CanvasRenderingContext2D, text: string, at: number, right: number, top: number): number {
  const room = ctx.measureText(text).width + 8 * devicePixelRatio;
  const fits = at + room < right;
  ctx.textAlign = fits ? "left" : "right";
  ctx.fillText(text, at + (fits ? 4 : -4) * devicePixelRatio, top + 12 * devicePixelRatio);
  return fits ? at + room : right;
}

function pair(line: Line, scheme: Scheme, smoothing: number): uPlot.Series[] {
  const stroke = curveColour(line.colour, scheme);
  const points: uPlot.Series.Points = {
    show: (plot, index) => {
      const values = plot.data[index] as (number | null | undefined)[];
      return values.filter((value) => value !== undefined).length <= (line.exact ? FEW_POINTS : 2);
    },
    size: 5,
    fill: stroke,
    stroke,
  };
  const dash = line.dashed ? { dash: [6, 4] } : {};
  const faint = !line.exact && smoothing > 0;
  return [
    { stroke: `${stroke}48`, width: 1, points: { show: false }, show: faint, spanGaps: false },
    { stroke, width: line.exact ? 2 : 1.6, points, spanGaps: false, ...dash },
  ];
}

// uPlot leaves out ticks by null.
const tickTexts = (ticks: (number | null)[], text: (value: number) => string) =>
  ticks.map((value) => (value === null ? "" : text(value)));

/** Over several powers of ten a line for each number between them would be a fence. */
function decades({ scales }: uPlot, splits: number[]): (number | null)[] {
  const { min, max } = scales.x ?? {};
  if (!min || !max || max / min < 100) return splits;
  return splits.map((value) => (Number.isInteger(Number(Math.log10(value).toPrecision(12))) ? value : null));
}

function clockTexts({ scales }: uPlot, ticks: (number | null)[]) {
  const { min = 0, max = 0 } = scales.x ?? {};
  return ticks.map((value) => (value === null ? "" : clock(value, (max ?? 0) - (min ?? 0))));
}
