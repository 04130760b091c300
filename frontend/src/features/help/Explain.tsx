import { ActionIcon, Tooltip } from "@mantine/core";
import { CircleQuestionMark } from "lucide-react";
import type { KeyboardEvent, ReactNode } from "react";
import { type HelpCard, useCanvas } from "@/features/canvas/state";
import { useText } from "@/i18n";
import styles from "./Explain.module.css";

const open = (card: HelpCard) => useCanvas.setState({ help: card });

/** Opens the help card of an entry of the catalogue, which is called `label` where the button stands. */
export function Explain({ card, label, small = false }: { card: HelpCard; label: string; small?: boolean }) {
  const title = useText().help.card.open(label);
  return (
    <Tooltip label={title}>
      <ActionIcon
        variant="subtle"
        color="gray"
        {...(small && { size: "xs" })}
        aria-label={title}
        onClick={() => open(card)}
        data-testid="open-help"
      >
        <CircleQuestionMark size={small ? 14 : 15} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
}

/** Opens a help card by F1, wherever in an element the keyboard is. */
export const byKey = (card: HelpCard | null | undefined) => (event: KeyboardEvent) => {
  if (event.key !== "F1" || !card) return;
  event.preventDefault();
  // The layer whose field this is has a card, too.
  event.stopPropagation();
  open(card);
};

/** A field that chooses an entry, and beside its label what explains the one that is chosen; by keys it is F1. */
export function Explained(props: { card: HelpCard | null | undefined; label: string; children: ReactNode }) {
  const { card, label, children } = props;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it hears a key of the field in it
    <div className={styles.explained} onKeyDown={byKey(card)}>
      {children}
      {card && (
        <span className={styles.button}>
          <Explain card={card} label={label} small />
        </span>
      )}
    </div>
  );
}
