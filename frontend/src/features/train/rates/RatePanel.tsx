import { Alert, Button, CloseButton, Progress } from "@mantine/core";
import { CircleAlert } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useRef } from "react";
import type { RateSearch } from "@/api/types";
import { type Texts, useText } from "@/i18n/whole";
import { ProblemText } from "@/ui/ProblemText";
import { Said } from "@/ui/Said";
import { ErrorNotice } from "@/ui/States";
import styles from "./RatePanel.module.css";
import type { Search } from "./useRateSearch";

const RateChart = lazy(async () => ({ default: (await import("./RateChart")).RateChart }));

interface Props {
  search: Search;
  onUse: (rate: number) => void;
  onClose: () => void;
}

/** What a search has found so far: the curve, and the rate that it suggests. */
export function RatePanel(props: Props) {
  return props.search.state === "none" ? null : <Panel {...props} />;
}

function Panel({ search, onUse, onClose }: Props) {
  const t = useText().train.rates;
  const { report } = search;
  const open = search.state === "asking" || report?.state === "waiting" || report?.state === "running";
  const panel = useRef<HTMLElement>(null);
  // It opens below the button, where the dialog may end.
  useEffect(() => {
    panel.current?.scrollIntoView({ block: "nearest" });
  }, []);
  return (
    <section
      ref={panel}
      className={styles.panel}
      aria-label={t.findRate}
      data-testid="rate-search"
      data-state={report?.state}
    >
      <header className={styles.head}>
        <div className={styles.told}>
          {search.error ? (
            <ErrorNotice error={search.error} retry={search.start} />
          ) : report === undefined || open ? (
            <Under report={report} />
          ) : (
            <Told report={report} onAgain={search.start} onUse={onUse} />
          )}
        </div>
        <CloseButton size="sm" aria-label={open ? t.cancel : t.close} onClick={onClose} />
      </header>
      {!search.error && report?.state !== "failed" && (
        <div className={styles.room}>
          {report && report.losses.length > 1 && (
            <Suspense>
              <RateChart report={report} suggestion={rounded(report.suggestion)} />
            </Suspense>
          )}
        </div>
      )}
    </section>
  );
}

function Under({ report }: { report: RateSearch | undefined }) {
  const t = useText().train.rates;
  const share = report ? (100 * report.losses.length) / report.steps : 0;
  return (
    <div className={styles.under}>
      <span role="status">{progress(report, t)}</span>
      <Progress className={styles.bar} value={share} size="sm" aria-label={t.findRate} />
    </div>
  );
}

function progress(report: RateSearch | undefined, t: Texts["train"]["rates"]): string {
  if (report === undefined) return t.asking;
  if (report.state === "waiting") return t.waiting;
  return report.losses.length > 0 ? t.running(report.losses.length, report.steps) : t.preparing;
}

interface ToldProps {
  report: RateSearch;
  onUse: (rate: number) => void;
  onAgain: () => void;
}

function Told({ report, onUse, onAgain }: ToldProps) {
  const t = useText().train.rates;
  if (report.state !== "done") return <Failed report={report} onAgain={onAgain} />;
  const rate = rounded(report.suggestion);
  if (rate === null) {
    return (
      <Notice color="yellow" title={t.none}>
        {t.noneHint}
      </Notice>
    );
  }
  return (
    <div className={styles.found}>
      <span role="status">
        {t.suggested} <b data-testid="suggested-rate">{rate}</b> <small>{t.means}</small>
      </span>
      <Button size="compact-sm" onClick={() => onUse(rate)}>
        {t.use}
      </Button>
    </div>
  );
}

function Failed({ report, onAgain }: { report: RateSearch; onAgain: () => void }) {
  const t = useText();
  const again = (
    <Button size="compact-sm" variant="default" mt="xs" onClick={onAgain}>
      {t.train.rates.again}
    </Button>
  );
  if (report.problems.length === 0) {
    return (
      <Notice color="red" title={t.train.rates.failed}>
        <p>
          <Said>{report.message}</Said>
        </p>
        {again}
      </Notice>
    );
  }
  return report.problems.map((problem) => (
    <Notice key={problem.message} color="red" title={t.problems[problem.code]}>
      <p>
        <ProblemText code={problem.code} message={problem.message} />
      </p>
    </Notice>
  ));
}

function Notice({ color, title, children }: { color: string; title: string; children: ReactNode }) {
  return (
    <Alert color={color} variant="light" icon={<CircleAlert size={18} aria-hidden />} title={title} role="alert">
      {children}
    </Alert>
  );
}

/** Nobody can tell rates apart that differ in the third digit. */
const rounded = (rate: number | null) => (rate === null ? null : Number(rate.toPrecision(2)));
