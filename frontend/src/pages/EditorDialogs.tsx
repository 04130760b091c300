import { useMantineColorScheme } from "@mantine/core";
import {
  ChartLine,
  Database,
  FileCode2,
  FileOutput,
  FilePlus2,
  FolderOpen,
  History,
  Languages,
  Library,
  Play,
  Table2,
} from "lucide-react";
import { useLocation } from "wouter";
import { CommandPalette, type OwnCommand } from "@/features/canvas/CommandPalette";
import { useCanvas } from "@/features/canvas/state";
import { HelpDialog } from "@/features/help/HelpDialog";
import { ShortcutsDialog } from "@/features/help/ShortcutsDialog";
import { BeginDialog } from "@/features/imports/BeginDialog";
import { useBeginDialog } from "@/features/imports/beginning";
import { useCheck } from "@/features/problems/check";
import { showProblems } from "@/features/problems/ToProblems";
import { ConflictDialog } from "@/features/project/ConflictDialog";
import { ExportNetwork } from "@/features/project/ExportNetwork";
import { OpenDialog } from "@/features/project/OpenDialog";
import { openFrom } from "@/features/project/opening";
import { useProject } from "@/features/project/store";
import { useNewNetwork } from "@/features/project/useNewNetwork";
import { VersionsDialog } from "@/features/project/VersionsDialog";
import { useBeginning } from "@/features/train/fork/begin";
import type { Refit } from "@/features/train/refit/RefitPanel";
import { planOf, rememberPlan, useRemembered } from "@/features/train/settings";
import { TrainDialog } from "@/features/train/TrainDialog";
import { LANGUAGES, type Language, setLanguage, useLanguage, useText } from "@/i18n";
import { mended } from "@/model/patch";
import { apply, currentDoc, useDoc } from "@/model/store";
import { THEMES } from "@/ui/themes";

/** All that opens over the editor. What is to be open stands in stores, so that it may arrive after the wish for it. */
export function EditorDialogs({ training, onTrain }: { training: boolean; onTrain: (training: boolean) => void }) {
  return (
    <>
      <Commands onTrain={() => onTrain(true)} />
      <OpenDialog />
      <BeginDialog />
      <ExportNetwork />
      <VersionsDialog />
      <ShortcutsDialog />
      <ConflictDialog />
      <Train opened={training} onClose={() => onTrain(false)} />
      <HelpDialog />
    </>
  );
}

/** The command palette, with the page's own commands. */
function Commands({ onTrain }: { onTrain: () => void }) {
  const { editor, imports } = useText();
  const begin = useNewNetwork();
  const everywhere = useEverywhere();
  return (
    <CommandPalette
      more={[
        { id: "new", label: editor.project.new, hint: <FilePlus2 size={13} aria-hidden />, run: begin },
        { id: "train", label: editor.project.train, hint: <Play size={13} aria-hidden />, run: onTrain },
        {
          id: "openProject",
          label: editor.project.open,
          hint: <FolderOpen size={13} aria-hidden />,
          run: () => openFrom(),
        },
        {
          id: "startFromData",
          label: imports.begin.menu,
          hint: <Database size={13} aria-hidden />,
          run: () => useBeginDialog.setState({ opened: true }),
        },
        {
          id: "importTorchvision",
          label: imports.menu.torchvision,
          hint: <Library size={13} aria-hidden />,
          run: () => openFrom("torchvision"),
        },
        {
          id: "importCode",
          label: imports.menu.code,
          hint: <FileCode2 size={13} aria-hidden />,
          run: () => openFrom("code"),
        },
        {
          id: "versions",
          label: editor.versions.open,
          hint: <History size={13} aria-hidden />,
          run: () => useCanvas.setState({ dialog: "versions" }),
        },
        {
          id: "export",
          label: editor.project.export,
          hint: <FileOutput size={13} aria-hidden />,
          run: () => useCanvas.setState({ dialog: "export" }),
        },
        ...everywhere,
      ]}
    />
  );
}

/** What the bar above every page offers: the other pages, the language, and the theme. */
function useEverywhere(): OwnCommand[] {
  const { common, editor } = useText();
  const [, go] = useLocation();
  const language = useLanguage((state) => state.language);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const themes = { light: common.theme.light, dark: common.theme.dark, auto: common.theme.system };
  return [
    {
      id: "page-runs",
      label: editor.commandPalette.go(common.nav.runs),
      hint: <ChartLine size={13} aria-hidden />,
      run: () => go("/runs"),
    },
    {
      id: "page-data",
      label: editor.commandPalette.go(common.nav.data),
      hint: <Table2 size={13} aria-hidden />,
      run: () => go("/data"),
    },
    ...(Object.keys(LANGUAGES) as Language[])
      .filter((other) => other !== language)
      .map((other) => ({
        id: `language-${other}`,
        label: `${common.language}: ${LANGUAGES[other].label}`,
        // Whoever cannot read the page looks for it by its own name.
        words: "language English Chinese 语言 英文 中文 汉语",
        hint: <Languages size={13} aria-hidden />,
        run: () => void setLanguage(other),
      })),
    ...(["light", "dark", "auto"] as const)
      .filter((other) => other !== colorScheme)
      .map((other) => {
        const Icon = THEMES[other];
        return {
          id: `theme-${other}`,
          label: `${common.theme.label}: ${themes[other]}`,
          hint: <Icon size={13} aria-hidden />,
          run: () => setColorScheme(other),
        };
      }),
  ];
}

/** The network changed to fit the data, as one step. */
const refit: Refit = (fix, step) => {
  const next = mended(currentDoc(), fix);
  if (next) apply(step, () => next);
  return next !== null;
};

function Train({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const draft = useProject((state) => state.draft);
  const from = useBeginning((state) => (state.draft === draft ? state.from : null));
  const network = useProject((state) => state.network);
  const plan = useRemembered((state) => planOf(state, { draft, network }));
  const errors = useCheck((state) => state.report?.problems.filter((it) => it.severity === "error").length ?? 0);
  const toErrors = () => {
    onClose();
    showProblems();
  };
  return (
    <TrainDialog
      document={useDoc()}
      plan={plan}
      onPlanned={(started) => rememberPlan({ draft, network }, started)}
      from={from}
      onRefit={refit}
      errors={errors}
      onErrors={toErrors}
      opened={opened}
      onClose={onClose}
    />
  );
}
