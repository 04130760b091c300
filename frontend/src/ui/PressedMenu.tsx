import { Menu, type MenuProps } from "@mantine/core";
import { cloneElement, type ReactElement, type Ref, useEffect, useRef, useState } from "react";
import type { Target } from "./MenuButton";

/** The menu of a `MenuButton`, which was pressed: it opens at once. */
export function PressedMenu({ target, children, ...menu }: Omit<MenuProps, "target"> & { target: Target }) {
  const [opened, setOpened] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  // From its button, so that the focus comes back to it.
  useEffect(() => {
    button.current?.focus();
    setOpened(true);
  }, []);
  return (
    <Menu shadow="md" {...menu} opened={opened} onChange={setOpened}>
      <Menu.Target>
        {cloneElement(target as ReactElement<{ ref?: Ref<HTMLButtonElement> }>, { ref: button })}
      </Menu.Target>
      <Menu.Dropdown>{children}</Menu.Dropdown>
    </Menu>
  );
}
