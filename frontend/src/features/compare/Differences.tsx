import { Switch, Table, Text } from "@mantine/core";
import { useState } from "react";
import type { Run } from "@/api/types";
import { useText } from "@/i18n/whole";
import { differences, settings } from "@/lib/difference";
import styles from "./Compare.module.css";
import { RunHeads } from "./RunHeads";

/** What a run was started with, without what only places nodes on a canvas. */
function configuration(run: Run) {
  const { ui: _, ...network } = run.document;
  return { ...run.plan, network };
}

/** The settings of several runs side by side: only those that differ, unless all are wanted. */
export function Differences({ runs }: { runs: Run[] }) {
  const t = useText().runs;
  const [only, setOnly] = useState(true);
  const values = runs.map(configuration);
  const rows = only ? differences(values) : settings(values);
  return (
    <section className={styles.card}>
      <div className={styles.head}>
        <h2>{t.compareDifferences}</h2>
        <Switch
          size="sm"
          label={t.compareOnlyDifferences}
          checked={only}
          onChange={(event) => setOnly(event.currentTarget.checked)}
        />
      </div>
      {rows.length === 0 ? (
        <Text c="dimmed" size="sm">
          {t.compareSame}
        </Text>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard
        <section className={styles.scroll} tabIndex={0} aria-label={t.compareDifferences}>
          <Table className={styles.table} verticalSpacing={6}>
            <RunHeads first={t.compareSetting} runs={runs} />
            <Table.Tbody>
              {rows.map((row) => (
                <Table.Tr key={row.path}>
                  <Table.Td className={styles.path}>{row.path}</Table.Td>
                  {row.values.map((value, index) => (
                    <Table.Td key={runs[index]?.id} className={value === undefined ? styles.missing : styles.value}>
                      {value ?? t.compareMissing}
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
    </section>
  );
}
