import { Text } from "@mantine/core";
import { Scissors } from "lucide-react";
import type { EventOf } from "@/api/types";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";

/** Says that the operator's limits have taken some of what was recorded here. */
export function ThinnedNote({ feed, of }: { feed: RunFeed; of: EventOf<"thinned">["of"][] }) {
  const t = useText().runs.thinned;
  const count = of.reduce((sum, kind) => sum + (feed.view.thinned.get(kind) ?? 0), 0);
  if (count === 0) return null;
  return (
    <Text size="xs" c="dimmed" data-thinned={count}>
      <Scissors size={12} aria-hidden /> {t(count)}
    </Text>
  );
}
