import { Button } from "@mantine/core";
import { PencilRuler } from "lucide-react";
import { useLocation } from "wouter";
import type { Document, Plan } from "@/api/types";
import { openCopy } from "@/features/project/project";
import { useProject } from "@/features/project/store";
import { claimTab } from "@/features/project/tab";
import { useLeave } from "@/features/project/useLeave";
import { rememberPlan } from "@/features/train/settings";
import { useText } from "@/i18n/whole";
import { useDocument } from "@/model/store";
import { type Beginning, useBeginning } from "./begin";

/** Opens a run's network in the editor: trained from there, it begins with the run's checkpoint, and with this plan. */
export function ToEditor({ document, plan, from }: { document: Document; plan: Plan; from: Beginning }) {
  const t = useText().train.fork;
  const leave = useLeave();
  const [, navigate] = useLocation();
  const open = async () => {
    await claimTab();
    openCopy(document, true);
    useBeginning.setState({ draft: useProject.getState().draft, from });
    rememberPlan(useProject.getState(), plan);
  };
  const go = () => {
    const then = () => navigate("/");
    // Before the editor was there, nothing is open that could be lost.
    if (useDocument.getState().loaded) void leave(open, then);
    else void open().then(then);
  };
  return (
    <Button size="compact-sm" variant="default" leftSection={<PencilRuler size={14} aria-hidden />} onClick={go}>
      {t.edit}
    </Button>
  );
}
