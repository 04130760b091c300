import { ActionIcon, Button, Menu, Tooltip, UnstyledButton } from "@mantine/core";
import {
  Check,
  ChevronDown,
  CloudOff,
  Database,
  FileCode2,
  FileOutput,
  FilePlus2,
  FolderOpen,
  History,
  Library,
  LoaderCircle,
  Play,
  Redo2,
  Search,
  Undo2,
  Upload,
} from "lucide-react";
import { useRef } from "react";
import { keyText, PALETTE_KEYS } from "@/features/canvas/keys";
import { useCanvas } from "@/features/canvas/state";
import { useBeginDialog } from "@/features/imports/beginning";
import { useOpenFile } from "@/features/imports/useOpenFile";
import { useText } from "@/i18n";
import { useDocument } from "@/model/store";
import { openFrom } from "./opening";
import styles from "./Project.module.css";
import { save } from "./save";
import { useProject } from "./store";
import { useNewNetwork } from "./useNewNetwork";

/** The editor's part of the top bar. */
export function ProjectBar({ onTrain }: { onTrain: () => void }) {
  const t = useText().editor;
  return (
    <div className={styles.bar}>
      <ProjectMenu />
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

function ProjectMenu() {
  const { editor, imports } = useText();
  const t = editor.project;
  const openFile = useOpenFile();
  const name = useDocument((state) => state.history.doc.name || state.history.doc.main);
  const file = useRef<HTMLInputElement>(null);
  const begin = useNewNetwork();
  return (
    <>
      <Menu position="bottom-start" shadow="md" width={240}>
        <Menu.Target>
          <UnstyledButton className={styles.name} data-testid="project-menu" aria-label={t.menu(name)}>
            <span>{name}</span>
            <ChevronDown size={14} aria-hidden />
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<FilePlus2 size={15} aria-hidden />} onClick={begin}>
            {t.new}
          </Menu.Item>
          <Menu.Item
            leftSection={<Database size={15} aria-hidden />}
            onClick={() => useBeginDialog.setState({ opened: true })}
          >
            {imports.begin.menu}
          </Menu.Item>
          <Menu.Item
            leftSection={<FolderOpen size={15} aria-hidden />}
            onClick={() => openFrom()}
            data-testid="open-project"
          >
            {t.open}
          </Menu.Item>
          <Menu.Item
            leftSection={<History size={15} aria-hidden />}
            onClick={() => useCanvas.setState({ dialog: "versions" })}
            data-testid="versions"
          >
            {editor.versions.open}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<Library size={15} aria-hidden />} onClick={() => openFrom("torchvision")}>
            {imports.menu.torchvision}
          </Menu.Item>
          <Menu.Item leftSection={<FileCode2 size={15} aria-hidden />} onClick={() => openFrom("code")}>
            {imports.menu.code}
          </Menu.Item>
          <Menu.Item leftSection={<Upload size={15} aria-hidden />} onClick={() => file.current?.click()}>
            {imports.menu.file}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            leftSection={<FileOutput size={15} aria-hidden />}
            onClick={() => useCanvas.setState({ dialog: "export" })}
            data-testid="export"
          >
            {t.export}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <input
        ref={file}
        type="file"
        hidden
        aria-label={imports.menu.file}
        data-testid="import-file"
        onChange={(event) => {
          const [chosen] = event.currentTarget.files ?? [];
          if (chosen) void openFile(chosen);
          event.currentTarget.value = "";
        }}
      />
    </>
  );
}

function SavedState() {
  const t = useText().editor.project;
  const saved = useProject((state) => state.saved);
  const kept = useProject((state) => state.kept);
  const wrong = saved === "failed" || saved === "conflict" || !kept;
  const Icon = saved === "saved" ? Check : wrong ? CloudOff : LoaderCircle;
  return (
    <Tooltip label={kept ? t.savedHints[saved] : t.noRoomHint}>
      <UnstyledButton
        className={styles.saved}
        data-state={saved}
        data-kept={kept}
        data-testid="saved"
        onClick={() => void save()}
      >
        <Icon size={14} aria-hidden />
        <span role="status">{t.savedStates[saved]}</span>
      </UnstyledButton>
    </Tooltip>
  );
}

function HistoryButtons() {
  const t = useText().editor;
  const undo = useDocument((state) => state.history.past.at(-1)?.label);
  const redo = useDocument((state) => state.history.future.at(-1)?.label);
  const buttons = [
    {
      id: "undo",
      label: t.commands.undo,
      step: undo,
      keys: "Mod+Z",
      Icon: Undo2,
      run: () => useDocument.getState().undo(),
    },
    {
      id: "redo",
      label: t.commands.redo,
      step: redo,
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
