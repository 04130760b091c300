import { Menu, useMantineColorScheme } from "@mantine/core";
import { useText } from "@/i18n";
import type { Target } from "@/ui/MenuButton";
import { PressedMenu } from "@/ui/PressedMenu";
import { THEMES } from "@/ui/themes";
import styles from "./Shell.module.css";

export function ThemeMenu({ target }: { target: Target }) {
  const t = useText().common.theme;
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const labels = { light: t.light, dark: t.dark, auto: t.system };
  return (
    <PressedMenu target={target} position="bottom-end">
      {(["light", "dark", "auto"] as const).map((scheme) => {
        const Item = THEMES[scheme];
        return (
          <Menu.Item
            key={scheme}
            leftSection={<Item size={15} aria-hidden />}
            onClick={() => setColorScheme(scheme)}
            data-active={scheme === colorScheme || undefined}
            className={styles.option}
          >
            {labels[scheme]}
          </Menu.Item>
        );
      })}
    </PressedMenu>
  );
}
