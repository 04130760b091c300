/** Nodes that move to new places before the eyes, so that one sees where each has gone. */
import { currentDoc } from "@/model/store";
import type { Position } from "@/model/types";
import { useCanvas } from "./state";

/** About a quarter of a second at 60 frames a second; a slower machine sees as many frames. */
const FRAMES = 14;
/** More nodes than can be drawn anew in every frame. */
const MANY = 200;
const NONE: ReadonlyMap<string, Position> = new Map();
type Places = { [id: string]: Position };

let latest = 0;

const calm = (): boolean => window.matchMedia("(prefers-reduced-motion: reduce)").matches;
const eased = (part: number): number => 1 - (1 - part) ** 3;

/** Shows nodes between two places, until the second is reached, the document is changed, or another movement begins. */
export function glide(from: Places, to: Places): void {
  latest += 1;
  const mine = latest;
  const doc = currentDoc();
  const ids = Object.keys(to).filter((id) => from[id] !== undefined);
  const still = ids.length > MANY || calm();
  const show = (frame: number) => {
    if (mine !== latest) return;
    const there = still || frame >= FRAMES || currentDoc() !== doc;
    useCanvas.setState({ gliding: there ? NONE : between(from, to, ids, eased(frame / FRAMES)) });
    if (!there) requestAnimationFrame(() => show(frame + 1));
  };
  show(0);
}

function between(from: Places, to: Places, ids: readonly string[], part: number): Map<string, Position> {
  const mixed = (start: number, end: number) => start + (end - start) * part;
  return new Map(
    ids.map((id) => {
      const [start, end] = [from[id] as Position, to[id] as Position];
      return [id, { x: mixed(start.x, end.x), y: mixed(start.y, end.y) }];
    }),
  );
}
