import { Table, useComputedColorScheme } from "@mantine/core";
import { Link } from "wouter";
import type { Run } from "@/api/types";
import { ForkedFrom } from "@/features/runs/ForkedFrom";
import { curveColour, stableIndices } from "@/ui/colours";
import styles from "./Compare.module.css";
import { runLabels } from "./labels";

/** The head of a table with a column for each run, in the colour of its curves; with what it was forked from, where wanted. */
export function RunHeads({ first, runs, origins }: { first: string; runs: Run[]; origins?: boolean }) {
  const scheme = useComputedColorScheme("light");
  const colours = stableIndices(runs.map((run) => run.id));
  const labels = runLabels(runs);
  return (
    <Table.Thead>
      <Table.Tr>
        <Table.Th>{first}</Table.Th>
        {runs.map((run, index) => (
          <Table.Th key={run.id}>
            <Link to={`/runs/${run.id}`} className={styles.run} title={run.name}>
              <span
                className={styles.dot}
                style={{ background: curveColour(colours.get(run.id) ?? 0, scheme) }}
                aria-hidden="true"
              />
              <span className={styles.name}>{labels[index]}</span>
            </Link>
            {origins && run.forked_from && (
              <div className={styles.origin}>
                <ForkedFrom origin={run.forked_from} />
              </div>
            )}
          </Table.Th>
        ))}
      </Table.Tr>
    </Table.Thead>
  );
}
