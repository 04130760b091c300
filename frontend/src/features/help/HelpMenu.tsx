import { Kbd, Menu } from "@mantine/core";
import { Footprints, Keyboard } from "lucide-react";
import { commands } from "@/features/canvas/commands";
import { keyText } from "@/features/canvas/keys";
import { useText } from "@/i18n";
import type { Target } from "@/ui/MenuButton";
import { PressedMenu } from "@/ui/PressedMenu";

const ICONS = { shortcuts: Keyboard, tour: Footprints } as const;

/** What helps someone who is new here. */
export function HelpMenu({ target }: { target: Target }) {
  const t = useText().editor;
  const all = commands(t);
  return (
    <PressedMenu target={target} position="bottom-end" width={230}>
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
            {t.commands[id]}
          </Menu.Item>
        );
      })}
    </PressedMenu>
  );
}
