import { Text } from "@mantine/core";
import type { DatasetDetails } from "@/api/types";
import { useText } from "@/i18n/whole";
import styles from "./Columns.module.css";

/** Rows that lack something: in which column, why, and what was done with them. */
export function RowProblems({ details }: { details: DatasetDetails }) {
  const t = useText().data.rows;
  const count = (value: number) => value.toLocaleString("en-US");
  const { rows, dropped, problems } = details;
  return (
    <section className={styles.card} aria-label={t.title}>
      <h2>{t.title}</h2>
      <Text size="sm">{t.kept(count(rows - dropped), count(rows), count(dropped))}</Text>
      <ul className={styles.problems}>
        {problems.slice(0, 50).map((problem) => (
          <li key={`${problem.column} ${problem.reason}`}>
            <b>{problem.column}</b> {t.line(t.reasons[problem.reason], count(problem.count))}
            <span data-treated={problem.treated}>{t.treated[problem.treated]}</span>
            <small>
              {t.where(problem.rows.slice(0, 8).join(", "))}
              {problem.count > 8 && " …"}
            </small>
          </li>
        ))}
      </ul>
    </section>
  );
}
