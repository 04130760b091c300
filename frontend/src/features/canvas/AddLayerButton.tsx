import { Button, Kbd } from "@mantine/core";
import { Plus } from "lucide-react";
import { useText } from "@/i18n";
import { commands } from "./commands";
import { keyText } from "./keys";

/** Where something is missing because there are no layers: the search that adds one. */
export function AddLayerButton() {
  const { editor } = useText();
  const command = commands(editor).find((it) => it.id === "addLayer");
  if (!command) return null;
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<Plus size={14} aria-hidden />}
      rightSection={<Kbd size="xs">{keyText(command.keys)}</Kbd>}
      onClick={() => void command.run()}
    >
      {editor.commands.addLayer}
    </Button>
  );
}
