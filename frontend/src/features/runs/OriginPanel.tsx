import { Button } from "@mantine/core";
import { GitCompareArrows } from "lucide-react";
import { Link } from "wouter";
import type { Run } from "@/api/types";
import { CarryView } from "@/features/train/fork/CarryView";
import { useText } from "@/i18n/whole";
import styles from "./ConfigPanel.module.css";

/** Where a run was forked from and what it began with, and the runs that were forked from it. */
export function OriginPanel({ run }: { run: Run }) {
  const t = useText().runs.origin;
  const { origin, forked_from, forks } = run;
  return (
    <>
      {origin && forked_from && (
        <section>
          <div className={styles.head}>
            <h2>
              {t.title} <Link to={`/runs/${origin.run}`}>{forked_from.name}</Link>, {t.step(origin.report.step)}
            </h2>
            <Button
              component={Link}
              to={`/compare?ids=${origin.run},${run.id}`}
              size="compact-sm"
              variant="default"
              leftSection={<GitCompareArrows size={14} aria-hidden />}
            >
              {t.compare}
            </Button>
          </div>
          <CarryView report={origin.report} />
        </section>
      )}
      {forks.length > 0 && (
        <section>
          <div className={styles.head}>
            <h2>{t.forks}</h2>
          </div>
          <ul className={styles.forks}>
            {forks.map((fork) => (
              <li key={fork.id}>
                <Link to={`/runs/${fork.id}`}>{fork.name}</Link>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}
