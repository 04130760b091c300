import { Modal, Tabs, Text, UnstyledButton } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { FolderOpen } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { useLanguage, useText } from "@/i18n";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { ExampleCards } from "./ExampleCards";
import { LeftDrafts } from "./LeftDrafts";
import styles from "./Project.module.css";
import { openNetwork } from "./project";
import { networksKey } from "./save";
import { useLeave } from "./useLeave";

const networksQuery = queryOptions({
  queryKey: networksKey,
  queryFn: ({ signal }) => unwrap(api.GET("/api/networks", { signal })),
});

/** Examples and saved networks to open. What is open now is saved first. */
export function OpenDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useText().editor.project;
  const [chosen, setChosen] = useState<string | null>(null);
  const saved = useQuery({ ...networksQuery, enabled: opened });
  // Where nothing is saved yet, the examples are what one came for.
  const tab = chosen ?? (saved.data?.length === 0 ? "examples" : "saved");
  return (
    <Modal opened={opened} onClose={onClose} title={t.openTitle} size={900} data-testid="open-dialog">
      <Tabs value={tab} onChange={setChosen} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="saved">{t.savedNetworks}</Tabs.Tab>
          <Tabs.Tab value="examples">{t.examples}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="saved">
          <LeftDrafts onClose={onClose} />
          <Networks onClose={onClose} />
        </Tabs.Panel>
        <Tabs.Panel value="examples">
          <ExampleCards onClose={onClose} />
        </Tabs.Panel>
      </Tabs>
    </Modal>
  );
}

function Networks({ onClose }: { onClose: () => void }) {
  const t = useText().editor.project;
  const language = useLanguage((state) => state.language);
  const leave = useLeave();
  const { data, error, refetch } = useQuery(networksQuery);
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <ListSkeleton rows={4} height={44} />;
  if (data.length === 0)
    return (
      <Empty icon={<FolderOpen size={24} aria-hidden />} title={t.noNetworks}>
        {t.noNetworksHint}
      </Empty>
    );
  const when = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  return (
    <div className={styles.networks}>
      {data.map((network) => (
        <UnstyledButton
          key={network.id}
          className={styles.network}
          data-network={network.id}
          onClick={() => void leave(() => openNetwork(network.id), onClose)}
        >
          <Text fw={550} size="sm" truncate>
            {network.name || t.untitled}
          </Text>
          <Text size="xs" c="dimmed">
            {t.revision(network.revision)} · {when.format(network.updated_at * 1000)}
          </Text>
        </UnstyledButton>
      ))}
    </div>
  );
}
