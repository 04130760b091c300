import { type ReactFlowState, useStoreApi } from "@xyflow/react";
import { type DependencyList, useEffect } from "react";

/** Paints once a frame at most, for as long as the view moves, and whenever one of `on` is another. */
export function useRepainted(draw: (state: ReactFlowState) => void, on: DependencyList): void {
  const store = useStoreApi();
  // biome-ignore lint/correctness/useExhaustiveDependencies: `on` tells what `draw` depends on
  useEffect(() => {
    let frame = 0;
    let drawn: ReactFlowState | null = null;
    const paint = () => {
      frame = 0;
      const state = store.getState();
      if (drawn && sameView(drawn, state)) return;
      drawn = state;
      draw(state);
    };
    paint();
    const stop = store.subscribe(() => {
      frame ||= requestAnimationFrame(paint);
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [store, ...on]);
}

const sameView = (left: ReactFlowState, right: ReactFlowState): boolean =>
  left.transform === right.transform && left.width === right.width && left.height === right.height;
