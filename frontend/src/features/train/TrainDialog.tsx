import { Alert, Button, Group, Modal, NumberInput, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { catalogueQuery, datasetsQuery } from "@/api/queries";
import type { Catalogue, DatasetEntry, Document } from "@/api/types";
import { useText } from "@/i18n";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { Advanced } from "./Advanced";
import { ChoiceField } from "./ChoiceField";
import { DatasetField } from "./DatasetField";
import { suggested } from "./fit";
import { concernsFolded, messageFor, type Refused, refusedFields, unplaced } from "./problems";
import { type Settings, useRemembered } from "./settings";
import styles from "./TrainDialog.module.css";
import { useStartRun } from "./useStartRun";

interface Props {
  document: Document;
  opened: boolean;
  onClose: () => void;
}

/** Chooses data and plan for a network and starts a run. As it opens, it is complete: one press starts. */
export function TrainDialog({ document, opened, onClose }: Props) {
  const t = useText().train;
  const title = document.name || document.main;
  return (
    <Modal opened={opened} onClose={onClose} size={720} title={`${t.title} · ${title}`} data-testid="train-dialog">
      <Loaded document={document} onClose={onClose} />
    </Modal>
  );
}

function Loaded({ document, onClose }: Omit<Props, "opened">) {
  const catalogue = useQuery(catalogueQuery);
  const datasets = useQuery(datasetsQuery);
  if (catalogue.data && datasets.data) {
    return <Form document={document} catalogue={catalogue.data} datasets={datasets.data} onClose={onClose} />;
  }
  const error = catalogue.error ?? datasets.error;
  if (error) {
    return (
      <ErrorNotice
        error={error}
        retry={() => {
          void catalogue.refetch();
          void datasets.refetch();
        }}
      />
    );
  }
  return <ListSkeleton rows={6} />;
}

interface FormProps {
  document: Document;
  catalogue: Catalogue;
  datasets: DatasetEntry[];
  onClose: () => void;
}

function Form({ document, catalogue, datasets, onClose }: FormProps) {
  const t = useText();
  const [settings, setSettings] = useState<Settings>(() => useRemembered.getState().settings);
  const [dataset, setDataset] = useState(() => suggested(datasets, document, useRemembered.getState().dataset, t));
  const [name, setName] = useState("");
  const [advanced, setAdvanced] = useState(false);
  const start = useStartRun(onClose);
  const button = useRef<HTMLButtonElement>(null);
  // The form comes after the dialog has taken the focus: one press of Enter is to start.
  useEffect(() => button.current?.focus(), []);
  const refused = refusedFields(start.error);
  const change = (part: Partial<Settings>) => {
    start.reset();
    setSettings((before) => ({ ...before, ...part }));
  };
  const submit = (event: React.FormEvent) => {
    event.preventDefault();
    start.mutate(
      { document, settings, dataset, name: name.trim() },
      { onError: (error) => concernsFolded(refusedFields(error)) && setAdvanced(true) },
    );
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {start.error && <Refusal error={start.error} refused={refused} />}
        <fieldset className={styles.order} disabled={start.isPending}>
          <DatasetField
            entries={datasets}
            document={document}
            value={dataset}
            onChange={(next) => {
              start.reset();
              setDataset(next);
            }}
            error={messageFor(refused, "dataset")}
          />
          <Lengths settings={settings} onChange={change} refused={refused} />
          <ChoiceField
            label={t.train.optimizer}
            entries={catalogue.optimizers}
            value={settings.optimizer}
            onChange={(optimizer) => optimizer && change({ optimizer })}
            shown={["lr", "weight_decay", "momentum"]}
            error={messageFor(refused, "optimizer")}
          />
          <UnstyledButton className={styles.more} onClick={() => setAdvanced(!advanced)} aria-expanded={advanced}>
            {advanced ? <ChevronDown size={15} aria-hidden /> : <ChevronRight size={15} aria-hidden />}
            {t.train.advanced}
          </UnstyledButton>
          {advanced && (
            <Advanced
              catalogue={catalogue}
              dataset={datasets.find((entry) => entry.name === dataset)}
              settings={settings}
              onChange={change}
              refused={refused}
            />
          )}
        </fieldset>
        <Group justify="flex-end" gap="sm" className={styles.footer}>
          <TextInput
            className={styles.name}
            placeholder={t.train.name}
            aria-label={t.train.name}
            maxLength={200}
            value={name}
            disabled={start.isPending}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button variant="default" onClick={onClose}>
            {t.common.actions.cancel}
          </Button>
          <Button
            ref={button}
            type="submit"
            leftSection={<Play size={15} aria-hidden />}
            loading={start.isPending}
            data-autofocus
            data-testid="start-run"
          >
            {t.train.start}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function Lengths(props: { settings: Settings; onChange: (part: Partial<Settings>) => void; refused: Refused }) {
  const t = useText().train;
  const { settings, onChange, refused } = props;
  return (
    <div className={styles.columns}>
      <NumberInput
        label={t.epochs}
        min={1}
        max={1_000_000}
        allowDecimal={false}
        value={settings.epochs ?? 20}
        onChange={(value) => {
          if (typeof value === "number") onChange({ epochs: value });
        }}
        error={messageFor(refused, "epochs")}
      />
      <NumberInput
        label={t.batchSize}
        min={1}
        max={65_536}
        allowDecimal={false}
        value={settings.batch_size}
        onChange={(value) => {
          if (typeof value === "number") onChange({ batch_size: value });
        }}
        error={messageFor(refused, "batch_size")}
      />
    </div>
  );
}

/** What has no control of its own: problems of the network, and anything else that was refused. */
function Refusal({ error, refused }: { error: unknown; refused: Refused }) {
  const t = useText();
  const general = unplaced(refused);
  const count = [...refused.values()].flat().length;
  if (count === 0) return <ErrorNotice error={error} />;
  return (
    <Alert color="red" title={t.train.problems(count)} role="alert">
      {general.length > 0 && (
        <ul className={styles.problems}>
          {general.map(({ field, item }) => {
            const where = item.problem?.member || field || (item.problem ? "" : item.path);
            return (
              <li key={`${item.path}${item.message}`}>
                <b>{t.problems[item.code]}</b>
                {where && <code>{where}</code>} {item.message}
              </li>
            );
          })}
        </ul>
      )}
    </Alert>
  );
}
