import { type ButtonHTMLAttributes, cloneElement, type ReactElement, Suspense, useState } from "react";
import { type Apart, useArrived } from "./apart";

export type Target = ReactElement<ButtonHTMLAttributes<HTMLButtonElement>>;

/** A button whose menu is fetched when the page has come to rest, or when it is pressed before. */
export function MenuButton({ menu: Menu, target }: { menu: Apart<{ target: Target }>; target: Target }) {
  useArrived(Menu);
  const [pressed, setPressed] = useState(false);
  const waiting = cloneElement(target, {
    "aria-haspopup": "menu",
    "aria-expanded": false,
    onClick: () => setPressed(true),
  });
  if (!pressed) return waiting;
  return (
    <Suspense fallback={waiting}>
      <Menu target={target} />
    </Suspense>
  );
}
