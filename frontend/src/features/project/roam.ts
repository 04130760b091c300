/**
 * The card that an arrow key leads to, by where the cards lie on the screen; `undefined` above the first row, and null
 * for any other key.
 */
export function neighbour(
  cards: readonly HTMLElement[],
  from: HTMLElement,
  key: string,
): HTMLElement | undefined | null {
  const at = cards.indexOf(from);
  if (at < 0) return null;
  switch (key) {
    case "ArrowRight":
      return cards[at + 1] ?? from;
    case "ArrowLeft":
      return cards[at - 1];
    case "Home":
      return cards[0];
    case "End":
      return cards.at(-1);
    case "ArrowDown":
      return nearest(from, cards.slice(at + 1), (top, own) => top > own, "first") ?? from;
    case "ArrowUp":
      return nearest(from, cards.slice(0, at), (top, own) => top < own, "last");
    default:
      return null;
  }
}

/** Of the next row in a direction, the card whose middle is nearest. */
function nearest(
  from: HTMLElement,
  cards: readonly HTMLElement[],
  beyond: (top: number, own: number) => boolean,
  which: "first" | "last",
): HTMLElement | undefined {
  const own = from.getBoundingClientRect();
  const boxes = cards.map((card) => ({ card, box: card.getBoundingClientRect() }));
  const behind = boxes.filter(({ box }) => beyond(Math.round(box.top), Math.round(own.top)));
  const row = behind.at(which === "first" ? 0 : -1)?.box.top;
  const away = (box: DOMRect) => Math.abs(box.left - own.left);
  return behind
    .filter(({ box }) => row !== undefined && Math.abs(box.top - row) < 1)
    .sort((a, b) => away(a.box) - away(b.box))[0]?.card;
}
