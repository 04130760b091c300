import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorsTuple,
  type MenuProps,
  type ModalProps,
  type MultiSelectProps,
  type SelectProps,
  Tooltip,
} from "@mantine/core";
import type { Texts } from "@/i18n";

const iris: MantineColorsTuple = [
  "#eef0fc",
  "#dbdff7",
  "#b8c0ee",
  "#94a0e6",
  "#7684df",
  "#5f70da",
  "#4c5fd5",
  "#4354c4",
  "#3746a6",
  "#2a3684",
];

/** The page's own greys, a little blue, from text to the deepest ground. */
const dark: MantineColorsTuple = [
  "#e6e8ec",
  "#b9bec9",
  "#a3a9b6",
  "#6d7483",
  "#3a404b",
  "#2b303a",
  "#23272f",
  "#1b1e24",
  "#15171c",
  "#0f1115",
];

/** What `extend` of a component gives. Named only as types, those of dialogs and forms are fetched with them. */
const byDefault = <Props>(defaultProps: Partial<Props>) => ({ defaultProps });

const theme = createTheme({
  colors: { iris, dark },
  primaryColor: "iris",
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: "md",
  cursorType: "pointer",
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif',
  fontFamilyMonospace: "var(--ll-mono)",
  headings: { fontWeight: "600" },
  components: {
    // The placeholder that takes the first focus is no menu item, which screen readers are told a menu consists of.
    Menu: byDefault<MenuProps>({ withInitialFocusPlaceholder: false }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, withArrow: true, multiline: true, maw: 320 } }),
    Select: byDefault<SelectProps>({ allowDeselect: false, comboboxProps: { shadow: "md" } }),
  },
});

/** The theme, and the names of the buttons that components bring with them. */
export function themeFor({ actions }: Texts["common"]) {
  return createTheme({
    ...theme,
    components: {
      ...theme.components,
      Modal: byDefault<ModalProps>({
        centered: true,
        transitionProps: { duration: 120 },
        closeButtonProps: { "aria-label": actions.close },
        // What scrolls is within the rounded corners.
        styles: {
          content: { display: "flex", flexDirection: "column", overflow: "hidden" },
          body: { flex: "auto", minHeight: 0, overflowY: "auto" },
        },
      }),
      MultiSelect: byDefault<MultiSelectProps>({
        clearButtonProps: { "aria-label": actions.clear },
        comboboxProps: { shadow: "md" },
      }),
    },
  });
}

const shared = {
  "--mantine-color-body": "var(--ll-panel)",
  "--mantine-color-text": "var(--ll-text)",
  "--mantine-color-dimmed": "var(--ll-dim)",
  "--mantine-color-placeholder": "var(--ll-dim)",
  "--mantine-color-default-border": "var(--ll-line)",
  "--mantine-color-error": "var(--ll-bad)",
  "--mantine-color-anchor": "var(--ll-accent)",
  "--mantine-color-red-light": "var(--ll-bad-soft)",
  "--mantine-color-red-light-color": "var(--ll-bad)",
  "--mantine-color-yellow-light": "var(--ll-warn-soft)",
  "--mantine-color-yellow-light-color": "var(--ll-warn)",
};

/** Soft buttons and badges, which Mantine makes darker than the dark ground they stand on. */
const soft = {
  "--mantine-color-iris-light": "var(--ll-accent-soft)",
  "--mantine-color-iris-light-hover": "#323860",
  "--mantine-color-iris-light-color": "var(--ll-accent)",
  "--mantine-color-gray-light": "var(--mantine-color-dark-5)",
  "--mantine-color-gray-light-hover": "var(--mantine-color-dark-4)",
  "--mantine-color-gray-light-color": "var(--ll-text)",
};

/** Mantine's own variables, pointed at the page's: its greys alone do not reach the contrast that text needs. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: shared,
  dark: { ...shared, ...soft },
});
