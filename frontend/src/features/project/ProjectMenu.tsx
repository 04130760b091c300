import { Menu } from "@mantine/core";
import { Database, FileCode2, FileOutput, FilePlus2, FolderOpen, History, Library, Upload } from "lucide-react";
import { useCanvas } from "@/features/canvas/state";
import { useBeginDialog } from "@/features/imports/beginning";
import { useText } from "@/i18n";
import type { Target } from "@/ui/MenuButton";
import { PressedMenu } from "@/ui/PressedMenu";
import { filePicker, openFrom } from "./opening";
import { useNewNetwork } from "./useNewNetwork";

/** What can be done with a network as a whole. */
export function ProjectMenu({ target }: { target: Target }) {
  const { editor, imports } = useText();
  const t = editor.project;
  const begin = useNewNetwork();
  return (
    <PressedMenu target={target} position="bottom-start" width={240}>
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
      <Menu.Item leftSection={<Upload size={15} aria-hidden />} onClick={() => filePicker.current?.click()}>
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
    </PressedMenu>
  );
}
