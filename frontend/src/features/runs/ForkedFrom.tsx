import { Link } from "wouter";
import type { RunSummary } from "@/api/types";
import { useText } from "@/i18n/whole";
import styles from "./ForkedFrom.module.css";

/** The run whose checkpoint a fork began with, and that checkpoint's step, in a line. A long name is cut, the step is not. */
export function ForkedFrom({ origin }: { origin: NonNullable<RunSummary["forked_from"]> }) {
  const t = useText().runs.origin;
  return (
    <span className={styles.line}>
      <span>{t.from}</span>{" "}
      <Link to={`/runs/${origin.run}`} className={styles.name} title={origin.name}>
        {origin.name}
      </Link>{" "}
      <span>{t.at(origin.step)}</span>
    </span>
  );
}
