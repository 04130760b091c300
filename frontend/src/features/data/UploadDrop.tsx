import { Button, Group, Popover, Progress, Text } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { datasetsQuery, refreshDatasets } from "@/api/queries";
import { datasetName, type Upload, uploadDataset } from "@/api/upload";
import { useText } from "@/i18n/whole";
import { ErrorNotice } from "@/ui/States";
import { toast } from "@/ui/Toasts";
import styles from "./UploadDrop.module.css";

/** Takes a file by drag and drop or by a button, and says beside it what is wrong with it. */
export function UploadDrop({ onUploaded }: { onUploaded: (name: string) => void }) {
  const t = useText().data.upload;
  const client = useQueryClient();
  const running = useRef<Upload | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [sending, setSending] = useState<{ name: string; share: number } | null>(null);
  const [failure, setFailure] = useState<{ name: string; error: unknown } | null>(null);
  useEffect(() => () => running.current?.cancel(), []);

  const send = async (file: File | undefined) => {
    if (file === undefined || running.current !== null || sending !== null) return;
    setFailure(null);
    setSending({ name: file.name, share: 0 });
    try {
      // A second file of one name is a second data set: nothing that somebody brought is ever replaced unasked.
      const known = await client.fetchQuery(datasetsQuery);
      const name = datasetName(
        file.name,
        known.map((entry) => entry.name),
      );
      running.current = uploadDataset(file, name, (share) => setSending({ name: file.name, share }));
      const entry = await running.current.done;
      await refreshDatasets(client, entry.name);
      toast(t.done(entry.label));
      onUploaded(entry.name);
    } catch (error) {
      if (!(error instanceof DOMException)) setFailure({ name: file.name, error });
    } finally {
      running.current = null;
      setSending(null);
    }
  };

  return (
    <section
      className={styles.drop}
      aria-label={t.title}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void send(event.dataTransfer.files[0]);
      }}
    >
      {sending ? (
        <Sending name={sending.name} share={sending.share} onCancel={() => running.current?.cancel()} />
      ) : (
        <>
          <FileUp size={22} aria-hidden className={styles.icon} />
          <Text fw={550} size="sm">
            {t.title}
          </Text>
          <Text size="xs" c="dimmed">
            {t.kinds}
          </Text>
          <Group gap={8} justify="center">
            <Button size="xs" variant="default" onClick={() => picker.current?.click()}>
              {t.choose}
            </Button>
            <Formats />
          </Group>
          <input
            ref={picker}
            type="file"
            hidden
            accept=".zip,.csv,.tsv,.parquet,.arrow,.npz,.txt"
            data-testid="upload"
            onChange={(event) => {
              void send(event.currentTarget.files?.[0]);
              // The same file may be chosen again, once it is mended.
              event.currentTarget.value = "";
            }}
          />
        </>
      )}
      {failure && (
        <div className={styles.failure}>
          <Text size="sm" fw={550}>
            {t.failed(failure.name)}
          </Text>
          <ErrorNotice error={failure.error} />
        </div>
      )}
    </section>
  );
}

/** What a file has to look like, for who asks: it is long, and the list below needs the room. */
function Formats() {
  const t = useText().data.upload;
  return (
    <Popover width={320} position="bottom-start" withArrow shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button size="xs" variant="subtle">
          {t.formats}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <dl className={styles.formats}>
          {t.hints.map(([what, hint]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>{hint}</dd>
            </div>
          ))}
        </dl>
      </Popover.Dropdown>
    </Popover>
  );
}

function Sending({ name, share, onCancel }: { name: string; share: number; onCancel: () => void }) {
  const t = useText().data.upload;
  return (
    <>
      <Text size="sm">{share < 1 ? t.sending(name, Math.floor(100 * share)) : t.reading(name)}</Text>
      <Progress value={100 * share} w="100%" animated aria-label={t.progress} />
      <Button size="xs" variant="default" onClick={onCancel}>
        {t.cancel}
      </Button>
    </>
  );
}
