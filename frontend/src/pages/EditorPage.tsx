import { ActionIcon, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { ReactFlowProvider } from "@xyflow/react";
import { PanelLeftOpen, PanelRightOpen } from "lucide-react";
import { Suspense, useEffect, useState } from "react";
import { Canvas } from "@/features/canvas/Canvas";
import { useCanvas } from "@/features/canvas/state";
import { usePaletteKeys } from "@/features/canvas/useShortcuts";
import { HelpButton } from "@/features/help/HelpButton";
import { TourCard } from "@/features/help/TourCard";
import { FileDrop } from "@/features/imports/FileDrop";
import { Inspector, Selected } from "@/features/inspector/Inspector";
import { Palette } from "@/features/palette/Palette";
import { useChecking } from "@/features/problems/check";
import { ProjectBar } from "@/features/project/ProjectBar";
import { openAtStart } from "@/features/project/project";
import { useAutosave } from "@/features/project/useAutosave";
import { useText } from "@/i18n";
import { useDocument } from "@/model/store";
import { apart, useArrived } from "@/ui/apart";
import { ErrorNotice, PageSkeleton } from "@/ui/States";
import { TopBar } from "@/ui/TopBar";
import styles from "./EditorPage.module.css";
import { EditorPageBottom } from "./EditorPageBottom";

/** Fetched when the page has come to rest: nobody needs a dialog before there is something to see. */
const EditorDialogs = apart(async () => (await import("./EditorDialogs")).EditorDialogs);

/** Draws a network. Opens what was open last, or the first example. */
export function EditorPage() {
  const loaded = useDocument((state) => state.loaded);
  // While the document is on its way: most often the forms are there before it.
  useEffect(() => void Selected.fetch().catch(() => {}), []);
  const start = useQuery({
    queryKey: ["editor", "start"],
    queryFn: async () => {
      if (!useDocument.getState().loaded) await openAtStart();
      return true;
    },
    staleTime: Number.POSITIVE_INFINITY,
    enabled: !loaded,
  });
  if (start.error && !loaded)
    return (
      <div className={styles.error}>
        <ErrorNotice error={start.error} retry={() => void start.refetch()} />
      </div>
    );
  if (!loaded) return <PageSkeleton />;
  return (
    <ReactFlowProvider>
      <Workbench />
    </ReactFlowProvider>
  );
}

/** Below this the panels would leave the canvas no room. */
const NARROW = "(max-width: 1000px)";

function Workbench() {
  const { editor: t } = useText();
  useChecking();
  useAutosave();
  const [training, setTraining] = useState(false);
  const [palette, setPalette] = useSidePanel();
  const [inspector, setInspector] = useSidePanel();
  const wanted = useCanvas((state) => state.dialog !== null);
  const arrived = useArrived(EditorDialogs);
  usePaletteKeys();
  return (
    <>
      <TopBar>
        <ProjectBar onTrain={() => setTraining(true)} />
        <HelpButton />
      </TopBar>
      <div className={styles.page} data-palette={palette || undefined} data-inspector={inspector || undefined}>
        <h1 className={styles.hidden}>{t.title}</h1>
        {palette ? (
          <div className={styles.left} data-tour="palette">
            <Palette onFold={() => setPalette(false)} />
          </div>
        ) : (
          <Rail label={t.palette.unfold} onUnfold={() => setPalette(true)} side="left" />
        )}
        <div className={styles.centre}>
          <FileDrop className={styles.canvas} tour="canvas">
            <Canvas />
            <TourCard />
          </FileDrop>
          <EditorPageBottom />
        </div>
        {inspector ? (
          <div className={styles.right}>
            <Inspector onFold={() => setInspector(false)} />
          </div>
        ) : (
          <Rail label={t.inspector.unfold} onUnfold={() => setInspector(true)} side="right" />
        )}
      </div>
      {(arrived || training || wanted) && (
        <Suspense fallback={null}>
          <EditorDialogs training={training} onTrain={setTraining} />
        </Suspense>
      )}
    </>
  );
}

/** Whether a panel beside the canvas is open. In a narrow window it begins folded, and each width keeps its own choice. */
function useSidePanel(): [open: boolean, setOpen: (open: boolean) => void] {
  const narrow = useMediaQuery(NARROW, false, { getInitialValueInEffect: false });
  const [chosen, setChosen] = useState<{ narrow?: boolean; wide?: boolean }>({});
  const key = narrow ? "narrow" : "wide";
  return [chosen[key] ?? !narrow, (open) => setChosen((before) => ({ ...before, [key]: open }))];
}

/** What is left of a folded panel. */
function Rail({ label, onUnfold, side }: { label: string; onUnfold: () => void; side: "left" | "right" }) {
  const Icon = side === "left" ? PanelLeftOpen : PanelRightOpen;
  return (
    <div className={styles.rail} data-side={side}>
      <Tooltip label={label} position={side === "left" ? "right" : "left"}>
        <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={onUnfold}>
          <Icon size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </div>
  );
}
