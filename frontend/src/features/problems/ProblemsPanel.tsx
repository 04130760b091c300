import { CircleAlert, CircleCheck, TriangleAlert } from "lucide-react";
import type { Problem } from "@/api/types";
import { useText } from "@/i18n";
import { currentDoc } from "@/model/store";
import { ProblemText } from "@/ui/ProblemText";
import { Empty, ErrorNotice } from "@/ui/States";
import { ConnectButton } from "./ConnectButton";
import { checkAgain, useCheck } from "./check";
import { FixButtons } from "./FixButtons";
import { goTo } from "./goTo";
import styles from "./Problems.module.css";
import { nameOf } from "./place";

/** What the check found: each entry leads to its place, and offers its mend where there is one. */
export function ProblemsPanel() {
  const t = useText().editor;
  const { report, error } = useCheck();
  if (error && !report) return <ErrorNotice error={error} retry={checkAgain} />;
  if (!report) return null;
  if (report.problems.length === 0)
    return (
      <Empty low icon={<CircleCheck size={26} aria-hidden />} title={t.problems.none}>
        {t.problems.noneHint}
      </Empty>
    );
  return (
    <>
      {error !== null && <ErrorNotice error={error} retry={checkAgain} />}
      <ul className={styles.list} data-testid="problems">
        {report.problems.map((problem, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
          <Entry key={index} problem={problem} />
        ))}
      </ul>
    </>
  );
}

function Entry({ problem }: { problem: Problem }) {
  const t = useText();
  const Icon = problem.severity === "error" ? CircleAlert : TriangleAlert;
  const where = [problem.member ?? nameOf(problem, currentDoc()), problem.port].filter(Boolean).join(" · ");
  return (
    <li className={styles.entry} data-severity={problem.severity} data-code={problem.code}>
      <button type="button" className={styles.body} onClick={() => goTo(problem)}>
        <Icon size={16} aria-label={t.editor.problems[problem.severity]} className={styles.icon} />
        <span className={styles.text}>
          <span className={styles.title}>
            {t.problems[problem.code]}
            {where && <code className={styles.where}>{where}</code>}
          </span>
          <span className={styles.message}>
            <ProblemText code={problem.code} message={problem.message} />
          </span>
        </span>
      </button>
      <ConnectButton problem={problem} />
      <FixButtons problem={problem} variant="light" />
    </li>
  );
}
