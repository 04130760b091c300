import { useComputedColorScheme } from "@mantine/core";
import { Panel, useReactFlow } from "@xyflow/react";
import { useMemo, useRef } from "react";
import { useText } from "@/i18n";
import { useView } from "@/model/view";
import styles from "./Canvas.module.css";
import { useRepainted } from "./repaint";
import { blank, type Inks, inksOf, type Sketch, type Spot } from "./sketch";

/** In pixels. */
const SIZE = { width: 150, height: 104, margin: 6 };
/** The smallest side of a node, so that a large graph is more than dust. */
const LEAST = 1.5;
const ZOOM_STEP = 1.15;

/** The whole graph in small, and which part of it the window shows. A press or drag goes there, the wheel zooms. */
export function Overview({ sketch }: { sketch: Sketch }) {
  const t = useText().editor.canvas;
  const canvas = useRef<HTMLCanvasElement>(null);
  const selection = useView((state) => state.selection);
  const scheme = useComputedColorScheme();
  const { setCenter, getZoom, zoomTo } = useReactFlow();
  const fit = useMemo(() => fitted(sketch), [sketch]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the nodes are drawn anew when one of these is another
  const still = useMemo<{ current: HTMLCanvasElement | null }>(() => ({ current: null }), [sketch, selection, scheme]);
  useRepainted(
    ({ transform: [x, y, zoom], width, height }) => {
      const { current } = canvas;
      const context = current && blank(current, SIZE.width, SIZE.height);
      if (!context) return;
      const inks = inksOf(current, scheme);
      // The nodes stay as they are while the view moves.
      still.current ??= nodesDrawn(sketch, selection, fit, inks);
      context.drawImage(still.current, 0, 0, SIZE.width, SIZE.height);
      const left = fit.x - (x / zoom) * fit.scale;
      const top = fit.y - (y / zoom) * fit.scale;
      const [across, down] = [(width / zoom) * fit.scale, (height / zoom) * fit.scale];
      context.fillStyle = inks("color-mix(in srgb, var(--ll-canvas) 70%, transparent)");
      context.beginPath();
      context.rect(0, 0, SIZE.width, SIZE.height);
      context.rect(left, top, across, down);
      context.fill("evenodd");
      context.strokeStyle = inks("var(--ll-accent)");
      context.strokeRect(left, top, across, down);
    },
    [sketch, selection, scheme],
  );
  const goTo = (event: React.PointerEvent<HTMLCanvasElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at: Spot = {
      x: (event.clientX - box.left - fit.x) / fit.scale,
      y: (event.clientY - box.top - fit.y) / fit.scale,
    };
    void setCenter(at.x, at.y, { zoom: getZoom() });
  };
  return (
    <Panel position="bottom-right" className={styles.overview}>
      <canvas
        ref={canvas}
        style={{ width: SIZE.width, height: SIZE.height }}
        role="img"
        aria-label={t.minimap}
        data-testid="overview"
        data-nodes={sketch.cards.length}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          goTo(event);
        }}
        onPointerMove={(event) => event.buttons === 1 && goTo(event)}
        onWheel={(event) => void zoomTo(getZoom() * (event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP))}
      />
    </Panel>
  );
}

type Fit = { x: number; y: number; scale: number };

/** Where the canvas lies in the small picture. */
function fitted({ bounds }: Sketch): Fit {
  const [width, height] = [SIZE.width - 2 * SIZE.margin, SIZE.height - 2 * SIZE.margin];
  const scale = Math.min(width / Math.max(bounds.width, 1), height / Math.max(bounds.height, 1), 0.2);
  return {
    x: SIZE.width / 2 - (bounds.x + bounds.width / 2) * scale,
    y: SIZE.height / 2 - (bounds.y + bounds.height / 2) * scale,
    scale,
  };
}

function nodesDrawn(
  sketch: Sketch,
  selection: ReadonlySet<string>,
  { x, y, scale }: Fit,
  inks: Inks,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const context = blank(canvas, SIZE.width, SIZE.height);
  for (const card of sketch.cards) {
    if (!context) break;
    const bad = card.tone === "error";
    context.fillStyle = inks(
      selection.has(card.id) ? "var(--ll-accent)" : bad ? "var(--ll-bad)" : "var(--ll-line-strong)",
    );
    const [width, height] = [Math.max(card.width * scale, LEAST), Math.max(card.height * scale, LEAST)];
    context.fillRect(card.x * scale + x, card.y * scale + y, width, height);
  }
  return canvas;
}
