import { Alert, Button, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { TriangleAlert, Wrench } from "lucide-react";
import type { ReactNode } from "react";
import { api, unwrap } from "@/api/client";
import type { DatasetEntry, Document, Plan, Problem } from "@/api/types";
import { saidNow, useSaid } from "@/i18n/said";
import { useText } from "@/i18n/whole";
import { ProblemText } from "@/ui/ProblemText";
import { toast } from "@/ui/Toasts";
import type { Refit } from "./refit/RefitPanel";
import styles from "./TrainDialog.module.css";

interface Props {
  document: Document;
  /** Those of a run to be, or of one that is there. */
  plan: Pick<Plan, "dataset" | "loss" | "heads">;
  /** Of the data set, where it is known. */
  task: DatasetEntry["task"] | undefined;
  onRefit?: Refit | undefined;
  /** What else can be done about it. */
  children?: ReactNode;
}

/** What the loss does not go with in the network: a warning with its mend, which holds nobody up. */
export function LossWarning({ document, plan, task, onRefit, children }: Props) {
  const t = useText();
  const said = useSaid();
  const { data = [] } = useQuery(lossQuery(document, plan, task));
  return data.map((problem) => (
    <Alert
      key={problem.message}
      color="yellow"
      variant="light"
      icon={<TriangleAlert size={16} aria-hidden />}
      title={t.problems[problem.code]}
      className={styles.warning}
      data-testid="loss-warning"
    >
      <Text size="sm">
        <ProblemText code={problem.code} message={problem.message} />
      </Text>
      {children}
      {onRefit &&
        problem.fixes.map((fix) => {
          const title = said(fix.title);
          return (
            <Button
              key={fix.title}
              mt={8}
              size="compact-sm"
              variant="default"
              leftSection={<Wrench size={13} aria-hidden />}
              onClick={() => {
                const done = onRefit(fix, () => saidNow(fix.title));
                toast(done ? title : t.train.refit.stale, done ? t.train.refit.undo : undefined);
              }}
            >
              {title}
            </Button>
          );
        })}
    </Alert>
  ));
}

/** Only the loss is asked about: what else of a plan is half typed does not silence the answer. */
const lossQuery = (document: Document, { dataset, loss, heads }: Props["plan"], task: Props["task"]) => ({
  queryKey: ["loss", loss?.name, { ...document, ui: null }],
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Problem[]> => {
    const body = { document, plan: { dataset, loss }, measure: false };
    const report = await unwrap(api.POST("/api/graphs/doctor", { body, signal }));
    return report.problems.filter((problem) => problem.code === "activation_before_loss");
  },
  // Without a loss of the plan's own, numbers are compared by squares: there any output is in place. Heads have their own.
  enabled: heads.length === 0 && (loss !== null || task === "classification" || task === "tokens"),
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: 30_000,
});
