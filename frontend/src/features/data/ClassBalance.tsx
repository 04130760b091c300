import { useText } from "@/i18n";
import styles from "./ClassBalance.module.css";

/** How many samples each class has, as bars. */
export function ClassBalance({ counts }: { counts: Record<string, number> }) {
  const t = useText().data;
  const rows = Object.entries(counts);
  const most = Math.max(...rows.map(([, count]) => count));
  return (
    <dl className={styles.bars} aria-label={t.balance}>
      {rows.map(([name, count]) => (
        <div key={name} className={styles.row}>
          <dt title={name}>{name}</dt>
          <dd>
            <span className={styles.bar} style={{ width: `${(100 * count) / most}%` }} aria-hidden="true" />
            <span className={styles.count}>{count}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
