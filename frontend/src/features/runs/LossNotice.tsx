import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { PencilRuler } from "lucide-react";
import { useLocation } from "wouter";
import { datasetsQuery } from "@/api/queries";
import type { Run } from "@/api/types";
import { openCopy } from "@/features/project/project";
import { useProject } from "@/features/project/store";
import { useToEditor } from "@/features/project/useToEditor";
import { LossWarning } from "@/features/train/LossWarning";
import { rememberPlan } from "@/features/train/settings";
import { useText } from "@/i18n/whole";
import styles from "./Failure.module.css";

/** What the Train dialog warned of before the run was started; the mend is for the next one, in the editor. */
export function LossNotice({ run }: { run: Run }) {
  const t = useText().runs.actions;
  const { data } = useQuery(datasetsQuery);
  const toEditor = useToEditor();
  const [, navigate] = useLocation();
  const open = () => {
    openCopy(run.document, true);
    rememberPlan(useProject.getState(), run.plan);
  };
  return (
    <div className={styles.alert}>
      <LossWarning
        document={run.document}
        plan={run.plan}
        task={data?.find((entry) => entry.name === run.dataset)?.task}
      >
        <Button
          mt={8}
          size="compact-sm"
          variant="default"
          leftSection={<PencilRuler size={13} aria-hidden />}
          onClick={() => void toEditor(open, () => navigate("/"))}
        >
          {t.edit}
        </Button>
      </LossWarning>
    </div>
  );
}
