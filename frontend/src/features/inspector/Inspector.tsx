import { ActionIcon, ScrollArea, Tooltip } from "@mantine/core";
import { PanelRightClose } from "lucide-react";
import { Suspense } from "react";
import { isTextField } from "@/features/canvas/typing";
import { useText } from "@/i18n";
import { useDocument } from "@/model/store";
import { apart } from "@/ui/apart";
import styles from "./Inspector.module.css";

/** The forms, which are much code: the drawing does not wait for them. */
export const Selected = apart(async () => (await import("./Selected")).Selected);

/** The form of whatever is selected. */
export function Inspector({ onFold }: { onFold: () => void }) {
  const t = useText().editor;
  return (
    <section
      className={styles.inspector}
      aria-label={t.inspector.title}
      data-testid="inspector"
      onBlur={() => useDocument.getState().settle()}
      onKeyDown={finishByEnter}
    >
      <Tooltip label={t.inspector.fold}>
        <ActionIcon
          variant="subtle"
          color="gray"
          className={styles.fold}
          aria-label={t.inspector.fold}
          onClick={onFold}
        >
          <PanelRightClose size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <ScrollArea className={styles.scroll} type="hover" scrollbarSize={8}>
        <Suspense fallback={null}>
          <Selected />
        </Suspense>
      </ScrollArea>
    </section>
  );
}

/** Enter takes a field's text over as leaving it does: it then shows the document's value, and follows an undo. */
function finishByEnter(event: React.KeyboardEvent): void {
  const { target, nativeEvent } = event;
  if (event.key !== "Enter" || nativeEvent.isComposing || event.keyCode === 229) return;
  if (!(target instanceof HTMLInputElement) || !isTextField(target) || target.hasAttribute("aria-haspopup")) return;
  const { currentTarget } = event;
  target.blur();
  target.focus();
  // A renamed item of a box has another form, whose field takes the place of this one.
  queueMicrotask(() => {
    const { testid } = target.dataset;
    if (!target.isConnected && testid) currentTarget.querySelector<HTMLElement>(`[data-testid="${testid}"]`)?.focus();
  });
}
