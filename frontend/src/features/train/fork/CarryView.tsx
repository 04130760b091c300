import type { CarryReport } from "@/api/types";
import { useText } from "@/i18n/whole";
import { shapeText } from "@/lib/shape";
import { Said } from "@/ui/Said";
import styles from "./CarryView.module.css";

/** What a fork begins with of its origin's checkpoint, and what not, with the reason. */
export function CarryView({ report }: { report: CarryReport }) {
  const texts = useText();
  const t = texts.train.fork;
  const begun = report.left.filter((one) => one.why !== "gone");
  const gone = report.left.filter((one) => one.why === "gone");
  return (
    <div className={styles.view} data-testid="carry-report">
      <dl className={styles.facts}>
        <Fact name={t.carried} value={t.tensors(report.carried.length, report.carried.length + begun.length)} />
        <Fact
          name={t.optimizerState}
          value={report.fresh === "" ? t.ofParameters(report.optimizer.length) : t.fresh[report.fresh]}
        />
        <Fact name={texts.runs.checkpoints.weights} value={texts.runs.checkpoints.held[report.weights]} />
      </dl>
      {begun.length > 0 && (
        <>
          <span>{t.anew}</span>
          <ul className={styles.list}>
            {begun.map((one) => (
              <li key={one.key}>
                <code>{one.key}</code>
                <span className={styles.why}>
                  {one.why === "shape" ? t.shape(shapeText(one.was ?? []), shapeText(one.shape ?? [])) : t.why[one.why]}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {gone.length > 0 && (
        <details>
          <summary>{t.gone(gone.length)}</summary>
          <ul className={styles.list}>
            {gone.map((one) => (
              <li key={one.key}>
                <code>{one.key}</code>
              </li>
            ))}
          </ul>
        </details>
      )}
      {report.network.length > 0 && (
        <details>
          <summary>{t.network(report.network.length)}</summary>
          <ul className={styles.list}>
            {report.network.map((sentence) => (
              <li key={sentence}>
                <Said>{sentence}</Said>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles.fact}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
