import { ActionIcon } from "@mantine/core";
import { CircleQuestionMark } from "lucide-react";
import { useText } from "@/i18n";
import { apart } from "@/ui/apart";
import { MenuButton } from "@/ui/MenuButton";

const HelpMenu = apart(async () => (await import("./HelpMenu")).HelpMenu);

export function HelpButton() {
  const t = useText().help;
  return (
    <MenuButton
      menu={HelpMenu}
      target={
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t.menu} data-testid="help">
          <CircleQuestionMark size={17} aria-hidden />
        </ActionIcon>
      }
    />
  );
}
