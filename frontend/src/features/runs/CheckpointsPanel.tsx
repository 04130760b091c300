import { Badge, Button, Group, Table } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Download, Package } from "lucide-react";
import { useEffect } from "react";
import { checkpointsQuery } from "@/api/queries";
import { seriesTitle } from "@/features/charts/groups";
import { weightsAddress } from "@/features/download/addresses";
import { useText } from "@/i18n";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import styles from "./ConfigPanel.module.css";

/** The kept checkpoints, each with its weights in both formats. */
export function CheckpointsPanel({ id, feed }: { id: string; feed: RunFeed }) {
  const texts = useText();
  const t = texts.runs.checkpoints;
  const saved = useTopic(feed, "checkpoints");
  const { data, error, refetch } = useQuery(checkpointsQuery(id));
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
              <Table.Th>{t.saved}</Table.Th>
              <Table.Th>{t.download}</Table.Th>
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
                  {seriesTitle(one.monitor, texts)} {shortNumber(one.value)}
                </Table.Td>
                <Table.Td>{new Date(one.saved_at * 1000).toLocaleString()}</Table.Td>
                <Table.Td>
                  <Group gap={6} wrap="nowrap">
                    {(["pt", "safetensors"] as const).map((format) => (
                      <Button
                        key={format}
                        component="a"
                        href={weightsAddress(id, one.step, format)}
                        download
                        size="compact-xs"
                        variant="default"
                        leftSection={<Download size={12} aria-hidden />}
                      >
                        .{format}
                      </Button>
                    ))}
                  </Group>
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </section>
    </div>
  );
}
