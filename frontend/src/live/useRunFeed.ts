import { useEffect, useState, useSyncExternalStore } from "react";
import { RunFeed } from "@/live/feed";
import type { Topic } from "@/live/fold";

/** A feed is shared by all who follow one run, and outlives a short absence (a tab of the page, a strict remount). */
const feeds = new Map<string, { feed: RunFeed; users: number; timer?: ReturnType<typeof setTimeout> }>();
const LINGER_MS = 5_000;

function acquire(id: string) {
  const held = feeds.get(id);
  if (held === undefined) return;
  clearTimeout(held.timer);
  held.users++;
}

function release(id: string) {
  const held = feeds.get(id);
  if (held === undefined || --held.users > 0) return;
  held.timer = setTimeout(() => {
    held.feed.stop();
    feeds.delete(id);
  }, LINGER_MS);
}

function feedOf(id: string): RunFeed {
  let held = feeds.get(id);
  if (held === undefined) {
    held = { feed: new RunFeed(id), users: 0 };
    feeds.set(id, held);
    held.feed.start();
  }
  return held.feed;
}

/** The live feed of a run. The feed itself never changes; `useTopic` tells of its changes. */
export function useRunFeed(id: string): RunFeed {
  const [feed, setFeed] = useState(() => feedOf(id));
  useEffect(() => {
    setFeed(feedOf(id));
    acquire(id);
    return () => release(id);
  }, [id]);
  return feed.id === id ? feed : feedOf(id);
}

/** Feeds of several runs at once. */
export function useRunFeeds(ids: readonly string[]): RunFeed[] {
  const key = ids.join(",");
  useEffect(() => {
    const held = key === "" ? [] : key.split(",");
    for (const id of held) {
      feedOf(id);
      acquire(id);
    }
    return () => held.forEach(release);
  }, [key]);
  return ids.map(feedOf);
}

/** Renders again, at most ten times a second, when a part of the run changes. Returns its version. */
export function useTopic(feed: RunFeed, topic: Topic | "link"): number {
  return useSyncExternalStore(
    (listener) => feed.subscribe(topic, listener),
    () => feed.version(topic),
  );
}

/** The same for several runs. */
export function useTopics(feeds: readonly RunFeed[], topic: Topic): number {
  return useSyncExternalStore(
    (listener) => {
      const ends = feeds.map((feed) => feed.subscribe(topic, listener));
      return () => {
        for (const end of ends) end();
      };
    },
    () => feeds.reduce((sum, feed) => sum + feed.version(topic), 0),
  );
}
