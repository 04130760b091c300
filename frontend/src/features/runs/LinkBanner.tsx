import { Button } from "@mantine/core";
import { CircleSlash, PlugZap } from "lucide-react";
import { useEffect, useState } from "react";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import styles from "./LinkBanner.module.css";

/** A break shorter than this is mended before anybody has read the banner. */
const PATIENCE_MS = 700;

/** Says that the connection is lost, and that nothing else is. */
export function LinkBanner({ feed }: { feed: RunFeed }) {
  const t = useText().runs.link;
  useTopic(feed, "link");
  const lost = feed.link === "lost";
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!lost) return setShown(false);
    const timer = setTimeout(() => setShown(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  if (feed.refused === 4404) {
    return (
      <div className={styles.banner} role="alert">
        <CircleSlash size={16} aria-hidden />
        <span>{t.gone}</span>
      </div>
    );
  }
  if (!shown) return null;
  return (
    <div className={styles.banner} role="alert">
      <PlugZap size={16} aria-hidden />
      <span>{t.lost}</span>
      <Button size="compact-xs" variant="default" onClick={() => feed.retry()}>
        {t.retry}
      </Button>
    </div>
  );
}
