import { HelpDialog } from "@/features/help/HelpDialog";
import { ShortcutsDialog } from "@/features/help/ShortcutsDialog";
import { BeginDialog } from "@/features/imports/BeginDialog";
import { ConflictDialog } from "@/features/project/ConflictDialog";
import { ExportNetwork } from "@/features/project/ExportNetwork";
import { OpenDialog } from "@/features/project/OpenDialog";
import { useProject } from "@/features/project/store";
import { VersionsDialog } from "@/features/project/VersionsDialog";
import { useBeginning } from "@/features/train/fork/begin";
import type { Refit } from "@/features/train/refit/RefitPanel";
import { useOffered } from "@/features/train/settings";
import { TrainDialog } from "@/features/train/TrainDialog";
import { mended } from "@/model/patch";
import { apply, currentDoc, useDoc } from "@/model/store";

/** All that opens over the editor. What is to be open stands in stores, so that it may arrive after the wish for it. */
export function EditorDialogs({ training, onTrained }: { training: boolean; onTrained: () => void }) {
  return (
    <>
      <OpenDialog />
      <BeginDialog />
      <ExportNetwork />
      <VersionsDialog />
      <ShortcutsDialog />
      <ConflictDialog />
      <Train opened={training} onClose={onTrained} />
      <HelpDialog />
    </>
  );
}

/** The network changed to fit the data, as one step. */
const refit: Refit = (fix) => {
  const next = mended(currentDoc(), fix);
  if (next) apply(fix.title, () => next);
  return next !== null;
};

function Train({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const draft = useProject((state) => state.draft);
  const from = useBeginning((state) => (state.draft === draft ? state.from : null));
  const plan = useOffered((state) => state.plan) ?? undefined;
  return <TrainDialog document={useDoc()} plan={plan} from={from} onRefit={refit} opened={opened} onClose={onClose} />;
}
