import { Table } from "@mantine/core";
import type { Run } from "@/api/types";
import { figureText, seriesTitle, splitName } from "@/features/charts/groups";
import { direction } from "@/features/runs/Figures";
import { useText } from "@/i18n/whole";
import type { Series } from "@/live/series";
import { useRunFeeds, useTopics } from "@/live/useRunFeed";
import styles from "./Compare.module.css";
import { RunHeads } from "./RunHeads";
import { rank } from "./rank";

/** What several runs have come to, side by side: last and best value of each metric, and what they were forked from. */
export function Results({ runs }: { runs: Run[] }) {
  const t = useText();
  const feeds = useRunFeeds(runs.map((run) => run.id));
  useTopics(feeds, "series");
  const found = new Set(feeds.flatMap(({ view }) => [...view.series.keys()]));
  const names = [...found].filter((name) => name === "train/loss" || name.startsWith("validation/"));
  const forked = runs.some((run) => run.forked_from !== null);
  if (names.length === 0 && !forked) return null;
  return (
    <section className={styles.card}>
      <div className={styles.head}>
        <h2>{t.runs.compareResults}</h2>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label={t.runs.compareResults}>
        <Table className={styles.table} verticalSpacing={6}>
          <RunHeads first={t.runs.compareMetric} runs={runs} origins />
          <Table.Tbody>
            {names
              .sort((a, b) => rank(a) - rank(b))
              .map((name) => (
                <Table.Tr key={name} data-metric={name}>
                  <Table.Td>{seriesTitle(name, t)}</Table.Td>
                  {feeds.map((feed) => (
                    <Table.Td key={feed.id} className={styles.figure}>
                      <Figure name={name} series={feed.view.series.get(name)} />
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
          </Table.Tbody>
        </Table>
      </section>
    </section>
  );
}

/** The loss of single batches has no best value that would mean anything. */
function Figure({ name, series }: { name: string; series: Series | undefined }) {
  const t = useText();
  if (series === undefined) return "–";
  const { part, metric } = splitName(name);
  return (
    <>
      {figureText(metric, series.last())}
      {part === "validation" && (
        <span>
          {t.runs.columns.best} {figureText(metric, series.best(direction(metric)))}
        </span>
      )}
    </>
  );
}
