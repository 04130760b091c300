import { ActionIcon, Button, Tooltip, UnstyledButton } from "@mantine/core";
import { Check, ChevronDown, CircleDashed, CloudOff, LoaderCircle, Play, Redo2, Search, Undo2 } from "lucide-react";
import { keyText, PALETTE_KEYS } from "@/features/canvas/keys";
import { useCanvas } from "@/features/canvas/state";
import { useOpenFile } from "@/features/imports/useOpenFile";
import { useText } from "@/i18n";
import { nameOf, type StepName } from "@/model/history";
import { useDocument } from "@/model/store";
import { apart } from "@/ui/apart";
import { MenuButton } from "@/ui/MenuButton";
import { filePicker } from "./opening";
import styles from "./Project.module.css";
import { saveAnyway } from "./save";
import { standing, useProject } from "./store";

/** The editor's part of the top bar. */
export function ProjectBar({ onTrain }: { onTrain: () => void }) {
  const t = useText().editor;
  return (
    <div className={styles.bar}>
      <ProjectButton />
      <FilePicker />
      <SavedState />
      <HistoryButtons />
      <span className={styles.space} />
      <UnstyledButton
        className={styles.search}
        onClick={() => useCanvas.setState({ dialog: "palette" })}
        data-testid="open-commands"
      >
        <Search size={14} aria-hidden />
        <span>{t.commandPalette.title}</span>
        <kbd>{keyText(PALETTE_KEYS)}</kbd>
      </UnstyledButton>
      <Button
        size="sm"
        className={styles.train}
        leftSection={<Play size={14} aria-hidden fill="currentColor" />}
        onClick={onTrain}
        data-testid="train"
        data-tour="train"
      >
        {t.project.train}
      </Button>
    </div>
  );
}

const ProjectMenu = apart(async () => (await import("./ProjectMenu")).ProjectMenu);

function ProjectButton() {
  const t = useText().editor.project;
  const name = useDocument((state) => state.history.doc.name || state.history.doc.main);
  return (
    <MenuButton
      menu={ProjectMenu}
      target={
        <UnstyledButton className={styles.name} data-testid="project-menu" aria-label={t.menu(name)}>
          <span>{name}</span>
          <ChevronDown size={14} aria-hidden />
        </UnstyledButton>
      }
    />
  );
}

/** Stays when the menu that opens it closes. */
function FilePicker() {
  const { menu } = useText().imports;
  const openFile = useOpenFile();
  return (
    <input
      ref={filePicker}
      type="file"
      hidden
      aria-label={menu.file}
      data-testid="import-file"
      onChange={(event) => {
        const [chosen] = event.currentTarget.files ?? [];
        if (chosen) void openFile(chosen);
        event.currentTarget.value = "";
      }}
    />
  );
}

function SavedState() {
  const t = useText().editor.project;
  const saved = useProject(standing);
  const kept = useProject((state) => state.kept);
  const wrong = saved === "failed" || saved === "conflict" || !kept;
  const Icon = saved === "saved" ? Check : saved === "untouched" ? CircleDashed : wrong ? CloudOff : LoaderCircle;
  return (
    <Tooltip label={kept ? t.savedHints[saved] : t.noRoomHint}>
      <UnstyledButton
        className={styles.saved}
        data-state={saved}
        data-kept={kept}
        data-testid="saved"
        onClick={() => void saveAnyway()}
      >
        <Icon size={14} aria-hidden />
        <span role="status">{t.savedStates[saved]}</span>
      </UnstyledButton>
    </Tooltip>
  );
}

function HistoryButtons() {
  const texts = useText();
  const t = texts.editor;
  const undo = useDocument((state) => state.history.past.at(-1)?.label);
  const redo = useDocument((state) => state.history.future.at(-1)?.label);
  const called = (step: StepName | undefined) => step && nameOf(step, texts);
  const buttons = [
    {
      id: "undo",
      label: t.commands.undo,
      step: called(undo),
      keys: "Mod+Z",
      Icon: Undo2,
      run: () => useDocument.getState().undo(),
    },
    {
      id: "redo",
      label: t.commands.redo,
      step: called(redo),
      keys: "Mod+Shift+Z",
      Icon: Redo2,
      run: () => useDocument.getState().redo(),
    },
  ];
  return (
    <div className={styles.history}>
      {buttons.map(({ id, label, step, keys, Icon, run }) => (
        <Tooltip key={id} label={step ? `${label}: ${step} (${keyText(keys)})` : `${label} (${keyText(keys)})`}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={step ? `${label}: ${step}` : label}
            disabled={step === undefined}
            onClick={run}
            data-testid={id}
          >
            <Icon size={17} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ))}
    </div>
  );
}
