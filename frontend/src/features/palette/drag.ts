/** Dragging with pointer events, which serve mouse, pen and touch alike: HTML's own drag does not. */
import { useCallback, useRef, useState } from "react";

const THRESHOLD_PX = 4;

export type Dragging<T> = { what: T; x: number; y: number };

/** Follows a pointer from an element. A press that hardly moves stays a click. */
export function useDrag<T>(on: {
  move: (what: T, x: number, y: number, alt: boolean) => void;
  drop: (what: T, x: number, y: number, alt: boolean) => void;
  end: () => void;
}): { dragging: Dragging<T> | null; start: (what: T) => (event: React.PointerEvent<HTMLElement>) => void } {
  const [dragging, setDragging] = useState<Dragging<T> | null>(null);
  const handlers = useRef(on);
  handlers.current = on;

  const start = useCallback(
    (what: T) => (event: React.PointerEvent<HTMLElement>) => {
      if (event.button !== 0) return;
      const from = { x: event.clientX, y: event.clientY };
      const pointer = event.pointerId;
      let moved = false;
      const onMove = (move: PointerEvent) => {
        if (move.pointerId !== pointer) return;
        if (!moved && Math.hypot(move.clientX - from.x, move.clientY - from.y) < THRESHOLD_PX) return;
        moved = true;
        move.preventDefault();
        setDragging({ what, x: move.clientX, y: move.clientY });
        handlers.current.move(what, move.clientX, move.clientY, move.altKey);
      };
      const finish = (drop: boolean) => (up: PointerEvent) => {
        if (up.pointerId !== pointer) return;
        stop();
        setDragging(null);
        if (moved && drop) {
          handlers.current.drop(what, up.clientX, up.clientY, up.altKey);
          // The click that follows a drag is none.
          window.addEventListener("click", swallow, { capture: true, once: true });
          setTimeout(() => window.removeEventListener("click", swallow, { capture: true }), 0);
        }
        handlers.current.end();
      };
      const onUp = finish(true);
      const onCancel = finish(false);
      const onKey = (key: KeyboardEvent) => {
        if (key.key !== "Escape") return;
        stop();
        setDragging(null);
        handlers.current.end();
      };
      const stop = () => {
        window.removeEventListener("pointermove", onMove);
        window.removeEventListener("pointerup", onUp);
        window.removeEventListener("pointercancel", onCancel);
        window.removeEventListener("keydown", onKey);
      };
      window.addEventListener("pointermove", onMove);
      window.addEventListener("pointerup", onUp);
      window.addEventListener("pointercancel", onCancel);
      window.addEventListener("keydown", onKey);
    },
    [],
  );
  return { dragging, start };
}

const swallow = (event: MouseEvent) => {
  event.preventDefault();
  event.stopPropagation();
};
