import { type RefObject, useEffect } from "react";
import { text as texts } from "@/i18n";
import { useDocument } from "@/model/store";
import { clearSelection, goUp, useView } from "@/model/view";
import { type Command, commands, openSelected, pasteText, removeCopied, selectionText } from "./commands";
import { PALETTE_KEYS } from "./keys";
import { useCanvas } from "./state";
import { finishTyping, followTyping, isUnfinished } from "./typing";

/** Fields take their own keys, and an input method composes in peace. */
function isTyping(event: Event): boolean {
  const target = event.target;
  if (event instanceof KeyboardEvent && (event.isComposing || event.keyCode === 229)) return true;
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable=true]") !== null;
}
/** Undo acts on the document wherever no text waits to be taken over. */
const mayGoBack = (event: KeyboardEvent): boolean =>
  !event.isComposing && event.keyCode !== 229 && !isUnfinished(event.target);
const inDialog = (event: Event): boolean =>
  event.target instanceof HTMLElement && event.target.closest("[role=dialog], [role=menu], [role=listbox]") !== null;

/** Whether an event matches keys such as `Mod+Shift+Z`. */
export function matches(event: KeyboardEvent, keys: string): boolean {
  const parts = keys.split("+");
  const key = parts.at(-1) ?? "";
  const mod = event.ctrlKey || event.metaKey;
  return (
    event.key.toLowerCase() === key.toLowerCase() &&
    mod === parts.includes("Mod") &&
    event.altKey === parts.includes("Alt") &&
    (event.shiftKey === parts.includes("Shift") || (key.length === 1 && /[^a-z0-9]/i.test(key)))
  );
}

/** Keys that mean a command beside the one that the menu shows. */
export const ALSO: { [keys: string]: Command["id"] } = { Backspace: "delete", "Mod+Y": "redo" };
/** Left to the clipboard's own events, which need no permission. */
const CLIPBOARD = new Set<string>(["copy", "cut", "paste"]);
/** These act on the canvas alone: elsewhere on the page the keys have their usual meaning. */
const CANVAS_ONLY = new Set<string>([
  "open",
  "selectAll",
  "connectTo",
  "callAgain",
  "repeat",
  "fit",
  "layout",
  "layoutSelection",
  "zoomToSelection",
]);

function commandFor(event: KeyboardEvent): Command | undefined {
  const all = commands(texts().editor);
  const also = Object.entries(ALSO).find(([keys]) => matches(event, keys));
  return all.find((command) => command.id === also?.[1] || (command.keys !== "" && matches(event, command.keys)));
}

/** Keys of the editor. Listens on the whole page, because after a click on a toolbar the canvas has no focus. */
export function useShortcuts(root: RefObject<HTMLDivElement | null>): void {
  useEffect(() => {
    // React Flow lets go of a focused node's selection before the key arrives here, and this press has done its work then.
    let held = false;
    const onCapture = (event: KeyboardEvent) => {
      if (event.key === "Escape") held = somethingSelected();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || inDialog(event)) return;
      const command = commandFor(event);
      const past = command?.id === "undo" || command?.id === "redo";
      // No text has F1 in it.
      if (isTyping(event) && !(past && mayGoBack(event)) && command?.id !== "layerHelp") return;
      if (event.key === "Escape") return stepBack(held);
      const onCanvas = event.target === document.body || (root.current?.contains(event.target as Node) ?? false);
      const onPane = event.target === document.body || event.target === root.current;
      if (event.key === "Tab" && onPane && useCanvas.getState().pointer && !event.shiftKey) {
        event.preventDefault();
        void commands(texts().editor)
          .find((command) => command.id === "addLayer")
          ?.run();
        return;
      }
      if (event.key === "Enter" && event.target instanceof HTMLButtonElement) return;
      if (!command || CLIPBOARD.has(command.id)) return;
      if (CANVAS_ONLY.has(command.id) && !onCanvas) return;
      event.preventDefault();
      if (command.id === "open") openSelected();
      else if (command.enabled()) void command.run();
      if (past) {
        useDocument.getState().settle();
        finishTyping();
      }
    };
    const onCopy = (event: ClipboardEvent) => {
      if (isTyping(event) || inDialog(event) || document.getSelection()?.toString()) return;
      const text = selectionText();
      if (text === null) return;
      event.preventDefault();
      event.clipboardData?.setData("text/plain", text);
      if (event.type === "cut") removeCopied();
    };
    const onPaste = (event: ClipboardEvent) => {
      if (isTyping(event) || inDialog(event)) return;
      event.preventDefault();
      pasteText(event.clipboardData?.getData("text/plain") ?? "", texts().editor);
    };
    const stopFollowing = followTyping();
    window.addEventListener("keydown", onCapture, { capture: true });
    window.addEventListener("keydown", onKey);
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      stopFollowing();
      window.removeEventListener("keydown", onCapture, { capture: true });
      window.removeEventListener("keydown", onKey);
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, [root]);
}

/** The keys that open and close the command palette. */
export function usePaletteKeys(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!matches(event, PALETTE_KEYS) || event.isComposing) return;
      event.preventDefault();
      useCanvas.setState(({ dialog }) => ({ dialog: dialog === "palette" ? null : "palette" }));
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function somethingSelected(): boolean {
  const { item, selection, edges } = useView.getState();
  return item !== null || selection.size + edges.size > 0;
}

/** Closes the nearest thing: a search, an item's selection, the selection, the block. `held`: something was selected. */
export function stepBack(held: boolean): void {
  const { item, trail } = useView.getState();
  const { arranging, quick } = useCanvas.getState();
  if (arranging) arranging.abort();
  else if (quick) useCanvas.setState({ quick: null });
  else if (item) useView.setState({ item: null });
  else if (held) clearSelection();
  else if (trail.length > 1) goUp(trail.length - 2);
}
