import { createContext, type ReactNode, useContext, useState } from "react";
import { createPortal } from "react-dom";

interface Slot {
  element: HTMLElement | null;
  setElement: (element: HTMLElement | null) => void;
}

const SlotContext = createContext<Slot | null>(null);

export function TopBarProvider({ children }: { children: ReactNode }) {
  const [element, setElement] = useState<HTMLElement | null>(null);
  return <SlotContext value={{ element, setElement }}>{children}</SlotContext>;
}

/** The free space in the top bar, between navigation and switches. */
export function TopBarSlot({ className }: { className?: string | undefined }) {
  const slot = useContext(SlotContext);
  return <div ref={slot?.setElement} className={className} />;
}

/** Shows a page's own controls in the top bar. */
export function TopBar({ children }: { children: ReactNode }) {
  const slot = useContext(SlotContext);
  return slot?.element ? createPortal(children, slot.element) : null;
}
