import { Button, Group, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useLanguage, useText } from "@/i18n";
import type { Kept } from "./drafts";
import styles from "./Project.module.css";
import { discardDraft, leftDrafts, openDraft } from "./project";
import { useLeave } from "./useLeave";

/** What this browser alone has: documents that were left, or lost with their tab, before they could be saved. */
export function LeftDrafts({ onClose }: { onClose: () => void }) {
  const t = useText().editor.project;
  const left = useQuery({ queryKey: ["drafts"], queryFn: leftDrafts, staleTime: 0, gcTime: 0 });
  if (!left.data?.length) return null;
  return (
    <section className={styles.left} aria-label={t.left}>
      <Text size="xs" c="dimmed">
        {t.left}
      </Text>
      {left.data.map((draft) => (
        <LeftDraft key={draft.id} draft={draft} onClose={onClose} onGone={() => void left.refetch()} />
      ))}
    </section>
  );
}

function LeftDraft({ draft, onClose, onGone }: { draft: Kept; onClose: () => void; onGone: () => void }) {
  const t = useText().editor.project;
  const language = useLanguage((state) => state.language);
  const leave = useLeave();
  const [sure, setSure] = useState(false);
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <Group gap="xs" wrap="nowrap">
      <UnstyledButton
        className={styles.network}
        data-draft={draft.id}
        onClick={() => void leave(() => openDraft(draft), onClose)}
      >
        <Text fw={550} size="sm" truncate>
          {draft.document.name || t.untitled}
        </Text>
        <Text size="xs" c="dimmed">
          {when.format(draft.at)}
        </Text>
      </UnstyledButton>
      <Button
        size="compact-xs"
        variant="subtle"
        color={sure ? "red" : "gray"}
        onBlur={() => setSure(false)}
        onClick={() => {
          if (!sure) return setSure(true);
          discardDraft(draft.id);
          onGone();
        }}
      >
        {sure ? t.discardSure : t.discard}
      </Button>
    </Group>
  );
}
