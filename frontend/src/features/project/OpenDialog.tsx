import { Button, Modal, Tabs, Text, UnstyledButton } from "@mantine/core";
import { queryOptions, useQuery } from "@tanstack/react-query";
import { FolderOpen } from "lucide-react";
import { api, unwrap } from "@/api/client";
import { CodeTab } from "@/features/imports/CodeTab";
import { LibraryTab } from "@/features/imports/LibraryTab";
import { useLanguage, useText } from "@/i18n";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { ExampleCards } from "./ExampleCards";
import { LeftDrafts } from "./LeftDrafts";
import { closeOpening, useOpening, type Way } from "./opening";
import styles from "./Project.module.css";
import { openNetwork } from "./project";
import { networksKey } from "./save";
import { useLeave } from "./useLeave";

const networksQuery = queryOptions({
  queryKey: networksKey,
  queryFn: ({ signal }) => unwrap(api.GET("/api/networks", { signal })),
});

/** Networks to open: saved ones, examples, torchvision's, Python code. What is open now is saved first. */
export function OpenDialog() {
  const { imports, editor } = useText();
  const t = editor.project;
  const opened = useOpening((state) => state.opened);
  const chosen = useOpening((state) => state.way);
  const onClose = closeOpening;
  const saved = useQuery({ ...networksQuery, enabled: opened });
  // Where nothing is saved yet, the examples are what one came for.
  const tab = chosen ?? (saved.data?.length === 0 ? "examples" : "saved");
  return (
    <Modal opened={opened} onClose={onClose} title={t.openTitle} size={960} data-testid="open-dialog">
      <Tabs value={tab} onChange={(way) => useOpening.setState({ way: way as Way })} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="saved">{t.savedNetworks}</Tabs.Tab>
          <Tabs.Tab value="examples">{t.examples}</Tabs.Tab>
          <Tabs.Tab value="torchvision">{imports.tabs.torchvision}</Tabs.Tab>
          <Tabs.Tab value="code">{imports.tabs.code}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="saved">
          <LeftDrafts onClose={onClose} />
          <Networks onClose={onClose} />
        </Tabs.Panel>
        <Tabs.Panel value="examples">
          <ExampleCards onClose={onClose} />
        </Tabs.Panel>
        <Tabs.Panel value="torchvision">
          <LibraryTab onClose={onClose} />
        </Tabs.Panel>
        <Tabs.Panel value="code">
          <CodeTab onClose={onClose} />
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
      <Empty
        icon={<FolderOpen size={24} aria-hidden />}
        title={t.noNetworks}
        actions={
          <Button variant="light" onClick={() => useOpening.setState({ way: "examples" })}>
            {t.toExamples}
          </Button>
        }
      >
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
