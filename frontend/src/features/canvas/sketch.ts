/** A graph as it is painted rather than built of elements: all of it at once costs less than a hundred nodes of the page. */

import { categoryColour } from "./categories";
import type { FlowEdge, FlowNode } from "./flow";
import { BEND, endOf } from "./routes";

type Box = { x: number; y: number; width: number; height: number };
export type Spot = { x: number; y: number };
/** How the canvas lies under the window: `x` and `y` in pixels of the window. */
export type View = { x: number; y: number; zoom: number; width: number; height: number };
type Tone = "plain" | "error" | "warning" | "accent";

export type Card = Box & { id: string; category: string; label: string; tone: Tone };
type Line = { from: Spot; to: Spot; lane: number | undefined; bad: boolean; dashed: boolean; top: number };
export type Sketch = { cards: Card[]; lines: Line[]; bounds: Box };

/** What is painted of a graph. `labelOf` words what a node is. */
export function sketched(
  nodes: readonly FlowNode[],
  edges: readonly FlowEdge[],
  labelOf: (node: FlowNode) => string,
): Sketch {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const cards = nodes.map(
    (node): Card => ({
      id: node.id,
      ...node.position,
      ...node.data.size,
      category: node.data.category,
      label: labelOf(node),
      tone: node.data.severity ?? node.data.inside?.severity ?? "plain",
    }),
  );
  const lines = edges.flatMap((edge): Line[] => {
    const from = endOf(byId.get(edge.source), edge.sourceHandle);
    const to = endOf(byId.get(edge.target), edge.targetHandle);
    if (!from || !to) return [];
    const { lane, reason, conditional } = edge.data ?? {};
    return [{ from, to, lane, bad: Boolean(reason), dashed: conditional === true, top: Math.min(from.y, to.y) }];
  });
  return { cards, lines, bounds: boundsOf(cards) };
}

function boundsOf(cards: readonly Box[]): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, width, height } of cards) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return cards.length === 0
    ? { x: 0, y: 0, width: 0, height: 0 }
    : { x: left, y: top, width: right - left, height: bottom - top };
}

/** The node under a point of the canvas; the last one drawn lies on top. */
export const cardAt = ({ cards }: Sketch, { x, y }: Spot): Card | undefined =>
  cards.findLast((it) => x >= it.x && x <= it.x + it.width && y >= it.y && y <= it.y + it.height);

/** The nodes that a rectangle of the canvas touches. */
export const cardsIn = ({ cards }: Sketch, box: Box): Card[] => cards.filter((card) => touches(card, box));

const touches = (one: Box, other: Box): boolean =>
  one.x < other.x + other.width &&
  one.x + one.width > other.x &&
  one.y < other.y + other.height &&
  one.y + one.height > other.y;

/** Per colour scheme, what was looked up before. */
const known: { [scheme: string]: Map<string, string> } = {};

/** The stylesheet's colours as a drawing context takes them: it knows nothing of variables and of light and dark. */
export function inksOf(element: HTMLElement, scheme: string): (colour: string) => string {
  known[scheme] ??= new Map();
  const inks = known[scheme];
  return (colour) => {
    let ink = inks.get(colour);
    if (ink === undefined) {
      // A transition, however short, would give the colour that it begins with.
      element.style.setProperty("transition", "none", "important");
      element.style.color = colour;
      ink = getComputedStyle(element).color;
      element.style.color = "";
      element.style.removeProperty("transition");
      inks.set(colour, ink);
    }
    return ink;
  };
}
export type Inks = ReturnType<typeof inksOf>;

const BORDERS: { [tone in Tone]: string } = {
  plain: "var(--ll-line-strong)",
  error: "var(--ll-bad)",
  warning: "var(--ll-warn)",
  accent: "var(--ll-accent)",
};
/** Below this zoom a node is a spot of its colour: there is no room for a border or a word. */
const SPOTS = 0.12;
/** How strong the colours of spots are: what is wrong among thousands stands out. */
const FAINT = 0.6;
/** Room that a word needs, in pixels of the window. */
const WORD = { width: 34, size: 9.5, inset: 6 };

/** Paints what lies in the window. */
export function paint(
  context: CanvasRenderingContext2D,
  sketch: Sketch,
  chosen: ReadonlySet<string>,
  view: View,
  inks: Inks,
): void {
  const { zoom } = view;
  const window: Box = { x: -view.x / zoom, y: -view.y / zoom, width: view.width / zoom, height: view.height / zoom };
  const cards = sketch.cards.filter((card) => touches(card, window));
  context.save();
  context.translate(view.x, view.y);
  context.scale(zoom, zoom);
  context.lineWidth = 1 / zoom;
  paintLines(context, sketch.lines, window, inks);
  if (zoom < SPOTS) paintSpots(context, cards, chosen, inks, zoom);
  else paintCards(context, cards, chosen, inks, zoom);
  context.restore();
}

function paintLines(context: CanvasRenderingContext2D, lines: readonly Line[], window: Box, inks: Inks): void {
  for (const bad of [false, true]) {
    context.strokeStyle = inks(bad ? BORDERS.error : BORDERS.plain);
    for (const line of lines) {
      if (line.bad !== bad || !touches(extent(line), window)) continue;
      const { from, to, lane } = line;
      context.beginPath();
      context.moveTo(from.x, from.y);
      if (lane !== undefined) {
        context.lineTo(lane, from.y + BEND);
        context.lineTo(lane, to.y - BEND);
      }
      context.lineTo(to.x, to.y);
      context.setLineDash(line.dashed ? [6, 5] : []);
      context.stroke();
    }
  }
  context.setLineDash([]);
}

function extent({ from, to, lane = from.x, top }: Line): Box {
  const left = Math.min(from.x, to.x, lane);
  return {
    x: left - 1,
    y: top - 1,
    width: Math.max(from.x, to.x, lane) - left + 2,
    height: Math.abs(to.y - from.y) + 2,
  };
}

function paintSpots(
  context: CanvasRenderingContext2D,
  cards: readonly Card[],
  chosen: ReadonlySet<string>,
  inks: Inks,
  zoom: number,
): void {
  for (const card of cards) {
    const { x, y, width, height } = card;
    context.globalAlpha = card.tone === "plain" ? FAINT : 1;
    context.fillStyle = inks(card.tone === "plain" ? categoryColour(card.category) : BORDERS[card.tone]);
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
    if (chosen.has(card.id)) outline(context, card, inks, zoom);
  }
}

function paintCards(
  context: CanvasRenderingContext2D,
  cards: readonly Card[],
  chosen: ReadonlySet<string>,
  inks: Inks,
  zoom: number,
): void {
  const round = 10;
  context.font = `600 ${WORD.size / zoom}px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "middle";
  for (const card of cards) {
    const { x, y, width, height, label, tone, category } = card;
    context.beginPath();
    context.roundRect(x, y, width, height, round);
    context.fillStyle = inks("var(--ll-raised)");
    context.fill();
    context.strokeStyle = inks(BORDERS[tone]);
    context.stroke();
    context.fillStyle = inks(categoryColour(category));
    context.fillRect(x + round / 2, y + round, 3 / zoom, height - 2 * round);
    if (width * zoom >= WORD.width) {
      const left = x + round / 2 + WORD.inset / zoom;
      context.fillStyle = inks(tone === "plain" ? "var(--ll-text)" : BORDERS[tone]);
      context.fillText(shortened(label, (x + width - left) * zoom), left, y + Math.min(height, 72) / 2);
    }
    if (chosen.has(card.id)) outline(context, card, inks, zoom);
  }
}

/** Mean width of a letter of a word. Measuring thousands of words would cost more than the error. */
const LETTER = 6.4;
function shortened(label: string, room: number): string {
  const most = Math.max(1, Math.floor((room - WORD.inset) / LETTER));
  return label.length > most ? `${label.slice(0, most - 1)}…` : label;
}

function outline(context: CanvasRenderingContext2D, { x, y, width, height }: Box, inks: Inks, zoom: number): void {
  const apart = 1.5 / zoom;
  context.save();
  context.lineWidth = 2 / zoom;
  context.strokeStyle = inks(BORDERS.accent);
  context.strokeRect(x - apart, y - apart, width + 2 * apart, height + 2 * apart);
  context.restore();
}

/** Makes a canvas as sharp as the screen, empty, and measured in pixels of the window. */
export function blank(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
  const context = canvas.getContext("2d");
  const ratio = window.devicePixelRatio || 1;
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}
