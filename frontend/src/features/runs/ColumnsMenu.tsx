import { ActionIcon, Menu } from "@mantine/core";
import { Columns3 } from "lucide-react";
import { useText } from "@/i18n/whole";
import { COLUMN_IDS, canHide, toggleColumn, useHiddenColumns } from "./columns";

/** Chooses which columns the runs table shows. */
export function ColumnsMenu() {
  const t = useText();
  const { hidden } = useHiddenColumns();
  const label = t.common.actions.columns;
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label={label} title={label}>
          <Columns3 size={16} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {COLUMN_IDS.filter(canHide).map((column) => (
          <Menu.CheckboxItem key={column} checked={!hidden.includes(column)} onChange={() => toggleColumn(column)}>
            {t.runs.columns[column]}
          </Menu.CheckboxItem>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
