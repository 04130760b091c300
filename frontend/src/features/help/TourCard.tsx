import { Button, CloseButton } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useText } from "@/i18n";
import styles from "./Help.module.css";
import { endTour, goToStop, STOPS, useTour } from "./tour";

/** One stop of the tour at a time, in a small card that covers nothing that is worked on, with its subject outlined. */
export function TourCard() {
  const at = useTour((state) => state.at);
  return at === null ? null : <Stop at={at} />;
}

function Stop({ at }: { at: number }) {
  const t = useText().help.tour;
  const asked = useTour((state) => state.asked);
  const card = useRef<HTMLElement>(null);
  const stop = STOPS[at] as (typeof STOPS)[number];
  const last = at === STOPS.length - 1;
  useEffect(() => {
    const subject = document.querySelector<HTMLElement>(`[data-tour="${stop}"]`);
    subject?.setAttribute("data-toured", "");
    return () => subject?.removeAttribute("data-toured");
  }, [stop]);
  useEffect(() => {
    if (asked) card.current?.focus();
  }, [asked]);
  return (
    <section
      ref={card}
      className={styles.card}
      tabIndex={-1}
      aria-label={t.label}
      data-testid="tour"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        endTour();
      }}
    >
      <div className={styles.cardHead}>
        <span className={styles.count}>{t.step(at + 1, STOPS.length)}</span>
        <CloseButton size="sm" aria-label={t.skip} onClick={endTour} />
      </div>
      <div aria-live="polite">
        <h2 className={styles.cardTitle}>{t.stops[stop].title}</h2>
        <p className={styles.cardText}>{t.stops[stop].text}</p>
      </div>
      <div className={styles.cardFoot}>
        <div className={styles.dots} aria-hidden>
          {STOPS.map((it) => (
            <span key={it} data-here={it === stop || undefined} />
          ))}
        </div>
        {at > 0 && (
          <Button size="compact-sm" variant="default" onClick={() => goToStop(at - 1)}>
            {t.back}
          </Button>
        )}
        <Button size="compact-sm" onClick={() => (last ? endTour() : goToStop(at + 1))}>
          {last ? t.done : t.next}
        </Button>
      </div>
    </section>
  );
}
