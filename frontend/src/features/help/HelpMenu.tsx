import { ActionIcon, Kbd, Menu } from "@mantine/core";
import { CircleQuestionMark, Footprints, Keyboard } from "lucide-react";
import { commands } from "@/features/canvas/commands";
import { keyText } from "@/features/canvas/keys";
import { useText } from "@/i18n";

const ICONS = { shortcuts: Keyboard, tour: Footprints } as const;

/** What helps someone who is new here. */
export function HelpMenu() {
  const { editor, help } = useText();
  const all = commands(editor);
  return (
    <Menu position="bottom-end" shadow="md" width={230}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={help.menu} data-testid="help">
          <CircleQuestionMark size={17} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(["shortcuts", "tour"] as const).map((id) => {
          const Icon = ICONS[id];
          const command = all.find((it) => it.id === id);
          return (
            <Menu.Item
              key={id}
              leftSection={<Icon size={15} aria-hidden />}
              rightSection={command?.keys && <Kbd size="xs">{keyText(command.keys)}</Kbd>}
              onClick={() => void command?.run()}
            >
              {editor.commands[id]}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}
