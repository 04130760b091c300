import { Button, Code, Text } from "@mantine/core";
import { Check, Download, LocateFixed, PackageX } from "lucide-react";
import { useEffect, useRef } from "react";
import { ApiError } from "@/api/errors";
import type { WrittenFile } from "@/api/exports";
import type { ExportFormat, Problem } from "@/api/types";
import { useText } from "@/i18n/whole";
import { bytes } from "@/lib/format";
import { ErrorNotice } from "@/ui/States";
import styles from "./ExportDialog.module.css";
import { ExportReportView } from "./ExportReportView";

export type Outcome =
  | { is: "idle" }
  | { is: "writing" }
  | { is: "failed"; error: unknown }
  | { is: "saved"; file: WrittenFile };

/** A format: what it is for, the button, and below what became of it. */
export function ExportRow(props: {
  format: Pick<ExportFormat, "name" | "label" | "suffix" | "summary" | "missing">;
  outcome: Outcome;
  disabled?: boolean | undefined;
  onDownload: () => void;
  onCancel?: () => void;
  onProblem?: ((problem: Problem) => void) | undefined;
}) {
  const { format, outcome, onDownload, onCancel, onProblem } = props;
  const { exporting: t, common } = useText();
  const missing = format.missing.length > 0;
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // What there is to read comes below the button, which may be at the end of what is shown.
    if (outcome.is !== "idle") row.current?.scrollIntoView({ block: "nearest" });
  }, [outcome.is]);
  return (
    <li ref={row} className={styles.row} data-format={format.name} data-outcome={outcome.is}>
      <div className={styles.line}>
        <div className={styles.what}>
          <span className={styles.label}>
            {format.label} <code className={styles.suffix}>{format.suffix}</code>
          </span>
          <span className={styles.summary}>{t.summaries[format.name] ?? format.summary}</span>
        </div>
        {outcome.is === "writing" && (
          <Button size="xs" variant="subtle" color="gray" onClick={onCancel}>
            {t.cancel}
          </Button>
        )}
        <Button
          size="xs"
          variant="default"
          aria-label={t.download(format.label, format.suffix)}
          leftSection={<Download size={14} aria-hidden />}
          loading={outcome.is === "writing"}
          disabled={missing || props.disabled}
          onClick={onDownload}
        >
          {common.actions.download}
        </Button>
      </div>
      {missing && (
        <p className={styles.note}>
          <PackageX size={14} aria-hidden className={styles.icon} />
          <span>
            {t.missing} <Code>pip install {format.missing.join(" ")}</Code>
          </span>
        </p>
      )}
      {/* Spoken when it changes: it may take minutes until then. */}
      <div role="status">
        {outcome.is === "writing" && <p className={styles.note}>{t.writing}</p>}
        {outcome.is === "saved" && (
          <>
            <Text size="sm" className={styles.saved}>
              <Check size={14} aria-hidden />
              {t.saved(outcome.file.name, bytes(outcome.file.content.size))}
            </Text>
            {outcome.file.report && <ExportReportView report={outcome.file.report} />}
          </>
        )}
      </div>
      {outcome.is === "failed" && (
        <div className={styles.failed}>
          <ErrorNotice error={outcome.error} retry={onDownload} />
          {onProblem && <Places error={outcome.error} onProblem={onProblem} />}
        </div>
      )}
    </li>
  );
}

/** The way to the nodes that stand in the way. */
function Places({ error, onProblem }: { error: unknown; onProblem: (problem: Problem) => void }) {
  const t = useText().exporting;
  const [problem] = error instanceof ApiError ? error.problems.filter((it) => it.node ?? it.member) : [];
  if (!problem) return null;
  return (
    <Button
      size="compact-xs"
      variant="light"
      leftSection={<LocateFixed size={12} aria-hidden />}
      onClick={() => onProblem(problem)}
    >
      {t.showNode}
    </Button>
  );
}
