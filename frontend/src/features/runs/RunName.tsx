import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { Pencil } from "lucide-react";
import { useState } from "react";
import type { RunSummary } from "@/api/types";
import { useText } from "@/i18n/whole";
import styles from "./RunName.module.css";
import { useRenameRun } from "./useRunCommands";

const choose = (input: HTMLInputElement | null) => {
  // Not every browser takes the focus to what is selected.
  input?.focus();
  input?.select();
};

interface Props {
  run: RunSummary;
  /** What the field is called where no column's head says it. */
  label?: string;
  children?: React.ReactNode;
}

/** A run's name, which can be changed in its place: Enter keeps the change, Escape drops it. */
export function RunName({ run, label, children }: Props) {
  const t = useText().runs;
  const rename = useRenameRun();
  const [draft, setDraft] = useState<string | null>(null);
  const keep = () => {
    const name = draft?.trim();
    setDraft(null);
    if (name && name !== run.name) rename.mutate({ id: run.id, name });
  };
  if (draft !== null) {
    return (
      <TextInput
        size="xs"
        classNames={{ root: styles.field, label: styles.label, wrapper: styles.input }}
        value={draft}
        {...(label === undefined ? { "aria-label": t.renameOf(run.name) } : { label })}
        maxLength={200}
        ref={choose}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onBlur={keep}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") keep();
          if (event.key === "Escape") setDraft(null);
        }}
      />
    );
  }
  return (
    <span className={styles.name} data-alone={label !== undefined || undefined}>
      <span className={styles.text} title={run.name}>
        {children ?? run.name}
      </span>
      <Tooltip label={t.rename}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          className={styles.pencil}
          aria-label={t.renameOf(run.name)}
          onClick={() => setDraft(run.name)}
        >
          <Pencil size={13} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </span>
  );
}
