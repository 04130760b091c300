import { Text } from "@mantine/core";
import type { EventOf } from "@/api/types";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";

/** How often each kind of statistics is sampled, what was given up for the budget, and what all of it costs. */
export function Rates({ feed }: { feed: RunFeed }) {
  const t = useText().runs.rates;
  useTopic(feed, "sampling");
  const told = feed.view.sampling;
  if (told === null) return null;
  const kinds = Object.keys(told.rates) as EventOf<"sampling">["shed"];
  const taken = kinds
    .filter((kind) => !told.shed.includes(kind))
    .map((kind) => `${t.kinds[kind]} ${rate(told.rates[kind] ?? 0, t)}${told.slowed.includes(kind) ? "*" : ""}`);
  const shed = told.shed.map((kind) => t.kinds[kind]);
  return (
    <Text size="xs" c="dimmed" title={t.hint} data-testid="rates">
      {[...taken, shed.length > 0 && t.shed(shed.join(", ")), t.cost(percent(told.share), percent(told.budget))]
        .filter(Boolean)
        .join(" · ")}
      {told.slowed.length > 0 && ` · ${t.slowed}`}
    </Text>
  );
}

const percent = (share: number) => `${Number((100 * share).toPrecision(2))}%`;

/** Ten times a second, or once in four seconds. */
function rate(perSecond: number, t: ReturnType<typeof useText>["runs"]["rates"]): string {
  if (perSecond <= 0) return t.none;
  return perSecond >= 0.95
    ? t.perSecond(Number(perSecond.toPrecision(2)))
    : t.every(Number((1 / perSecond).toPrecision(2)));
}
