import { useComputedColorScheme } from "@mantine/core";
import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { useText } from "@/i18n";
import { select, useView } from "@/model/view";
import styles from "./Canvas.module.css";
import { keyText } from "./keys";
import { useRepainted } from "./repaint";
import { blank, cardsIn, inksOf, paint, type Sketch } from "./sketch";

/** Below this zoom no text of a node can be read, and the graph is one picture. */
export const FAR = 0.3;

/** The graph from afar. React Flow keeps the gestures, and holds no node meanwhile. */
export function FarView({ sketch }: { sketch: Sketch }) {
  const t = useText().editor.canvas;
  const canvas = useRef<HTMLCanvasElement>(null);
  const selection = useView((state) => state.selection);
  const hinted = useView((state) => state.hinted);
  const scheme = useComputedColorScheme();
  useBoxSelection(sketch);
  useRepainted(
    (state) => {
      const { current } = canvas;
      const { transform, width, height } = state;
      const context = current && blank(current, width, height);
      if (!context) return;
      const [x, y, zoom] = transform;
      paint(
        context,
        sketch,
        new Set([...selection, ...hinted]),
        { x, y, zoom, width, height },
        inksOf(current, scheme),
      );
    },
    [sketch, selection, hinted, scheme],
  );
  return (
    <canvas
      ref={canvas}
      className={styles.far}
      role="img"
      aria-label={t.far(sketch.cards.length, keyText("Mod+F"))}
      data-testid="far-view"
    />
  );
}

/** What a box drawn with Shift touches is selected when it is let go. React Flow has nothing to select here. */
function useBoxSelection(sketch: Sketch): void {
  const store = useStoreApi();
  useEffect(() => {
    let box = store.getState().userSelectionRect;
    return store.subscribe((state) => {
      const { userSelectionRect, transform } = state;
      if (!userSelectionRect && box) {
        const [x, y, zoom] = transform;
        const { width, height } = box;
        const touched = { x: (box.x - x) / zoom, y: (box.y - y) / zoom, width: width / zoom, height: height / zoom };
        select(cardsIn(sketch, touched).map((card) => card.id));
      }
      box = userSelectionRect;
    });
  }, [store, sketch]);
}
