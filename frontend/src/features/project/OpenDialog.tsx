import { Modal, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { CodeTab } from "@/features/imports/CodeTab";
import { LibraryTab } from "@/features/imports/LibraryTab";
import { useText } from "@/i18n";
import { ExampleCards } from "./ExampleCards";
import { LeftDrafts } from "./LeftDrafts";
import { closeOpening, useOpening, type Way } from "./opening";
import { SavedNetworks } from "./SavedNetworks";
import { networksQuery } from "./stored";

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
          <SavedNetworks onClose={onClose} />
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
