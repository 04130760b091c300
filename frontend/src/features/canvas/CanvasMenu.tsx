import { Menu } from "@mantine/core";
import { Fragment } from "react";
import { useText } from "@/i18n";
import { type CommandId, commands } from "./commands";
import { keyText } from "./keys";
import styles from "./Menu.module.css";
import { useCanvas } from "./state";

const GROUPS: CommandId[][] = [
  ["addLayer", "open", "connectTo", "callAgain", "detach", "layerHelp"],
  ["cut", "copy", "paste", "duplicate", "delete"],
  ["groupSequential", "groupList", "groupDict", "groupBlock", "ungroup", "repeat"],
  ["selectAll", "layoutSelection", "layout", "zoomToSelection", "fit"],
];
/** Shown although they cannot be used here, so that people learn that they exist. */
const ALWAYS = new Set<CommandId>(["paste", "addLayer", "selectAll", "layout", "fit"]);

/** Between the menu and the window's edge, in pixels. */
const EDGE = 8;

/** The context menu of nodes, edges, the selection and the pane. */
export function CanvasMenu() {
  const t = useText().editor;
  const menu = useCanvas((state) => state.menu);
  const close = () => useCanvas.setState({ menu: null });
  if (!menu) return null;
  const all = commands(t);
  const groups = GROUPS.map((ids) =>
    ids.flatMap((id) => all.find((command) => command.id === id && (command.enabled() || ALWAYS.has(id))) ?? []),
  ).filter((group) => group.length > 0);
  return (
    <Menu
      opened
      onChange={(opened) => !opened && close()}
      position="bottom-start"
      offset={0}
      // A long menu slides up beside the pointer, so that all of it is in the window.
      middlewares={{ flip: false, shift: { crossAxis: true, padding: EDGE } }}
      shadow="md"
      width={230}
    >
      <Menu.Target>
        <button
          type="button"
          className={styles.anchor}
          style={{ left: menu.x, top: menu.y }}
          tabIndex={-1}
          aria-label={t.canvas.menu}
        />
      </Menu.Target>
      <Menu.Dropdown data-testid="canvas-menu" className={styles.menu} aria-label={t.canvas.menu}>
        {groups.map((group, index) => (
          <Fragment key={group[0]?.id}>
            {index > 0 && <Menu.Divider />}
            {group.map((command) => (
              <Menu.Item
                key={command.id}
                data-command={command.id}
                disabled={!command.enabled()}
                rightSection={command.keys && <span className={styles.keys}>{keyText(command.keys)}</span>}
                onClick={() => {
                  close();
                  // A paste goes where the menu was opened, not where its entry is.
                  useCanvas.setState({ pointer: { x: menu.x, y: menu.y } });
                  void command.run();
                }}
              >
                {t.commands[command.id]}
              </Menu.Item>
            ))}
          </Fragment>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
