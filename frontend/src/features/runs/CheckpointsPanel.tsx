import { Badge, Button, Group, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Download, FileOutput, GitFork, Package } from "lucide-react";
import { useEffect, useState } from "react";
import { formatsQuery } from "@/api/exports";
import { checkpointsQuery } from "@/api/queries";
import type { Run } from "@/api/types";
import { figureText, seriesTitle, splitName } from "@/features/charts/groups";
import { exportAddress } from "@/features/download/addresses";
import { ExportRunDialog } from "@/features/download/ExportDialog";
import { LANGUAGES, useLanguage } from "@/i18n";
import { useText } from "@/i18n/whole";
import { moment } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import styles from "./ConfigPanel.module.css";
import { ForkDialog } from "./commands/ForkDialog";

/** The kept checkpoints, each with its weights in every format. */
export function CheckpointsPanel({ run, feed }: { run: Run; feed: RunFeed }) {
  const { id } = run;
  const texts = useText();
  const language = useLanguage((state) => state.language);
  const t = texts.runs.checkpoints;
  const saved = useTopic(feed, "checkpoints");
  const { data, error, refetch } = useQuery(checkpointsQuery(id));
  const { data: formats = [] } = useQuery(formatsQuery);
  const weights = formats.filter((format) => format.kind === "weights");
  const [exported, setExported] = useState<number | null>(null);
  const [forked, setForked] = useState<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: every checkpoint changes the list
  useEffect(() => {
    void refetch();
  }, [saved, refetch]);
  if (data === undefined) return error ? <ErrorNotice error={error} retry={refetch} /> : <ListSkeleton />;
  if (data.length === 0) {
    return (
      <Empty icon={<Package size={26} aria-hidden />} title={t.none}>
        {t.noneHint}
      </Empty>
    );
  }
  return (
    <div className={styles.panel}>
      {error && <ErrorNotice error={error} retry={refetch} />}
      <section>
        <Table className={styles.table} highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.step}</Table.Th>
              <Table.Th>{t.epoch}</Table.Th>
              <Table.Th>{t.monitor}</Table.Th>
              <Table.Th>{t.weights}</Table.Th>
              <Table.Th>{t.saved}</Table.Th>
              <Table.Th>{t.download}</Table.Th>
              <Table.Th aria-label={texts.runs.origin.fork} />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {data.map((one) => (
              <Table.Tr key={one.step}>
                <Table.Td>
                  <Group gap={8}>
                    {one.step}
                    {one.best && <Badge variant="light">{t.best}</Badge>}
                    {one.last && (
                      <Badge variant="light" color="gray">
                        {t.last}
                      </Badge>
                    )}
                  </Group>
                </Table.Td>
                <Table.Td>{one.epoch}</Table.Td>
                <Table.Td>
                  {seriesTitle(one.monitor, texts)} {figureText(splitName(one.monitor).metric, one.value)}
                </Table.Td>
                <Table.Td data-weights={one.weights}>{t.held[one.weights]}</Table.Td>
                <Table.Td>{moment(one.saved_at, LANGUAGES[language].tag)}</Table.Td>
                <Table.Td>
                  <Group gap={6} wrap="nowrap">
                    {weights.map((format) => (
                      <Button
                        key={format.name}
                        component="a"
                        href={exportAddress(id, format.name, one.step)}
                        download
                        size="compact-xs"
                        variant="default"
                        leftSection={<Download size={12} aria-hidden />}
                      >
                        {format.suffix}
                      </Button>
                    ))}
                    <Button
                      size="compact-xs"
                      variant="default"
                      leftSection={<FileOutput size={12} aria-hidden />}
                      onClick={() => setExported(one.step)}
                    >
                      {texts.runs.download.other}
                    </Button>
                  </Group>
                </Table.Td>
                <Table.Td>
                  <Group justify="flex-end">
                    <Button
                      size="compact-xs"
                      variant="default"
                      leftSection={<GitFork size={12} aria-hidden />}
                      onClick={() => setForked(one.step)}
                    >
                      {texts.runs.origin.fork}
                    </Button>
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
      <ForkDialog run={run} checkpoint={forked === null ? null : String(forked)} onClose={() => setForked(null)} />
      <ExportRunDialog
        id={id}
        choices={exported === null ? [] : [String(exported)]}
        opened={exported !== null}
        onClose={() => setExported(null)}
      />
    </div>
  );
}
