import { Button } from "@mantine/core";
import { PencilRuler } from "lucide-react";
import { useLocation } from "wouter";
import type { Document, Plan } from "@/api/types";
import { openCopy } from "@/features/project/project";
import { useProject } from "@/features/project/store";
import { useToEditor } from "@/features/project/useToEditor";
import { rememberPlan } from "@/features/train/settings";
import { useText } from "@/i18n/whole";
import { type Beginning, useBeginning } from "./begin";

/** Opens a run's network in the editor: trained from there, it begins with the run's checkpoint, and with this plan. */
export function ToEditor({ document, plan, from }: { document: Document; plan: Plan; from: Beginning }) {
  const t = useText().train.fork;
  const toEditor = useToEditor();
  const [, navigate] = useLocation();
  const open = () => {
    openCopy(document, true);
    useBeginning.setState({ draft: useProject.getState().draft, from });
    rememberPlan(useProject.getState(), plan);
  };
  const go = () => void toEditor(open, () => navigate("/"));
  return (
    <Button size="compact-sm" variant="default" leftSection={<PencilRuler size={14} aria-hidden />} onClick={go}>
      {t.edit}
    </Button>
  );
}
