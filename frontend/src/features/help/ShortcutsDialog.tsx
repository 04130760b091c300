import { Kbd, Modal } from "@mantine/core";
import { commands } from "@/features/canvas/commands";
import { keyText, PALETTE_KEYS } from "@/features/canvas/keys";
import { useCanvas } from "@/features/canvas/state";
import { ALSO } from "@/features/canvas/useShortcuts";
import { useText } from "@/i18n";
import styles from "./Help.module.css";

/** Every key of the editor, taken from the commands themselves. */
export function ShortcutsDialog() {
  const t = useText().editor;
  const opened = useCanvas((state) => state.dialog === "shortcuts");
  const close = () => useCanvas.setState({ dialog: null });
  const rows = [
    { id: "palette", label: t.commandPalette.title, keys: [PALETTE_KEYS] },
    ...commands(t).map(({ id, keys }) => {
      const others = Object.entries(ALSO).flatMap(([also, command]) => (command === id ? [also] : []));
      return { id, label: t.commands[id], keys: [keys, ...others].filter(Boolean) };
    }),
  ];
  return (
    <Modal opened={opened} onClose={close} title={t.commands.shortcuts} size={720} data-testid="shortcuts">
      <dl className={styles.keys}>
        {rows
          .filter((row) => row.keys.length > 0)
          .map((row) => (
            <div key={row.id} data-command={row.id}>
              <dt>{row.label}</dt>
              <dd>
                {row.keys.map((keys) => (
                  <Kbd key={keys}>{keyText(keys)}</Kbd>
                ))}
              </dd>
            </div>
          ))}
      </dl>
    </Modal>
  );
}
