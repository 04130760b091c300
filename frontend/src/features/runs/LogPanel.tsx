import { Switch, TextInput } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ScrollText, Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useText } from "@/i18n/whole";
import { clock } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import type { LogLine } from "@/live/fold";
import { useTopic } from "@/live/useRunFeed";
import { Said } from "@/ui/Said";
import { Empty, NoHits } from "@/ui/States";
import styles from "./LogPanel.module.css";
import { ThinnedNote } from "./ThinnedNote";

/** The run's log. It follows its end until the reader scrolls up. */
export function LogPanel({ feed }: { feed: RunFeed }) {
  const t = useText().runs.log;
  useTopic(feed, "log");
  const [wanted, setWanted] = useState("");
  const [follow, setFollow] = useState(true);
  const all = feed.view.log;
  const lower = wanted.toLowerCase();
  const lines = wanted === "" ? all : all.filter((line) => line.message.toLowerCase().includes(lower));
  if (all.length === 0)
    return (
      <Empty icon={<ScrollText size={26} aria-hidden />} title={t.none}>
        {t.noneHint} <ThinnedNote feed={feed} of={["log"]} />
      </Empty>
    );
  return (
    <div className={styles.panel} data-search>
      <div className={styles.bar}>
        <TextInput
          size="xs"
          w={280}
          placeholder={t.search}
          aria-label={t.search}
          leftSection={<Search size={14} aria-hidden />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
        <Switch
          size="sm"
          label={t.follow}
          checked={follow}
          onChange={(event) => setFollow(event.currentTarget.checked)}
        />
        <ThinnedNote feed={feed} of={["log"]} />
      </div>
      <Lines lines={lines} follow={follow} onFollow={setFollow} />
      {lines.length === 0 && <NoHits onClear={() => setWanted("")}>{t.noMatch}</NoHits>}
    </div>
  );
}

const NEAR_END_PX = 24;

function Lines(props: { lines: LogLine[]; follow: boolean; onFollow: (follow: boolean) => void }) {
  const t = useText().runs.log;
  const { lines, follow, onFollow } = props;
  const scroll = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 20,
    overscan: 20,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: each new line moves the end
  useEffect(() => {
    if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: "end" });
  }, [follow, lines.length]);
  const top = useRef(0);
  // However it was done: by wheel, key, touch or the bar itself. Lines that come in move the end, and not the top.
  const onScroll = ({ currentTarget: host }: React.UIEvent) => {
    const up = host.scrollTop < top.current;
    top.current = host.scrollTop;
    if (host.scrollHeight - host.scrollTop - host.clientHeight < NEAR_END_PX) onFollow(true);
    else if (up) onFollow(false);
  };
  return (
    <section
      className={styles.scroll}
      ref={scroll}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-label={t.label}
      onScroll={onScroll}
    >
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index] as LogLine;
          return (
            <div
              key={line.seq}
              ref={virtual.measureElement}
              data-index={item.index}
              className={styles.row}
              data-level={line.level}
              style={{ translate: `0 ${item.start}px` }}
            >
              <time>{clock(line.at, 60)}</time>
              <span className={styles.level}>{t.levels[line.level]}</span>
              <Said className={styles.text}>{line.message}</Said>
            </div>
          );
        })}
      </div>
    </section>
  );
}
