import type { ExportReport } from "@/api/types";
import { LANGUAGES, useLanguage } from "@/i18n";
import { useText } from "@/i18n/whole";
import { bytes, shortNumber } from "@/lib/format";
import { Said } from "@/ui/Said";
import styles from "./ExportDialog.module.css";

const share = (part: number): string => `${shortNumber(Number((100 * part).toPrecision(3)))} %`;

/** How the written file was held against torch, and what rounding saved and cost. */
export function ExportReportView({ report }: { report: ExportReport }) {
  const t = useText().exporting;
  const { verified, quantization, notes } = report;
  const { tag } = LANGUAGES[useLanguage((state) => state.language)];
  const batches = new Intl.ListFormat(tag).format(verified.flatMap(({ batch }) => (batch ? [String(batch)] : [])));
  const difference = Math.max(...verified.map((it) => it.max_absolute));
  const what = quantization ? "rounded" : "program";
  return (
    <div className={styles.report} data-testid="export-report">
      {verified.length > 0 && (
        <p>
          {t.agrees.at(
            difference === 0 ? t.agrees.exact[what] : t.agrees.nearly[what](shortNumber(difference)),
            batches,
          )}
        </p>
      )}
      {quantization && (
        <>
          <dl className={styles.figures}>
            <Figure name={t.before} value={bytes(quantization.bytes_before)} />
            <Figure name={t.after} value={bytes(quantization.bytes_after)} note={share(quantization.ratio)} />
            <Figure
              name={t.largest}
              value={shortNumber(quantization.error.max_absolute)}
              note={t.ofLargest(share(quantization.error.max_relative))}
            />
            <Figure
              name={t.mean}
              value={shortNumber(quantization.error.mean_absolute)}
              note={t.ofMean(share(quantization.error.mean_relative))}
            />
          </dl>
          <p>{t.measured}</p>
        </>
      )}
      {notes.map((note) => (
        <p key={note}>
          <Said>{note}</Said>
        </p>
      ))}
    </div>
  );
}

function Figure({ name, value, note }: { name: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value} {note && <small>{note}</small>}
      </dd>
    </div>
  );
}
