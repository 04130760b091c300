import { Button, Group, Stack, TextInput, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, Play } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { UnreachableError } from "@/api/errors";
import { runsQuery } from "@/api/queries";
import type { Catalogue, DatasetEntry, Document, Plan } from "@/api/types";
import { Form, NumberField } from "@/features/forms";
import { useSaid } from "@/i18n/said";
import { useText } from "@/i18n/whole";
import { Advanced, type PartProps } from "./Advanced";
import { ChoiceField } from "./ChoiceField";
import { DatasetField } from "./DatasetField";
import { suggested } from "./fit";
import type { Beginning } from "./fork/begin";
import { type Fork, ForkFields } from "./fork/ForkFields";
import { ToEditor } from "./fork/ToEditor";
import { LossWarning } from "./LossWarning";
import { nextName } from "./names";
import { outputNames } from "./outputs";
import { concernsFolded, messageFor, refusedFields } from "./problems";
import { Broken, Refusal } from "./Refusal";
import { FindButton } from "./rates/FindButton";
import { RatePanel } from "./rates/RatePanel";
import { useRateSearch } from "./rates/useRateSearch";
import { type Refit, RefitPanel } from "./refit/RefitPanel";
import { DEFAULTS, type Settings, settingsOf, useRemembered } from "./settings";
import styles from "./TrainDialog.module.css";
import { useStartRun } from "./useStartRun";

interface Props {
  document: Document;
  plan?: Plan | undefined;
  from?: Beginning | null | undefined;
  editable?: boolean;
  onRefit?: Refit | undefined;
  onPlanned?: ((plan: Plan) => void) | undefined;
  errors?: number;
  onErrors?: (() => void) | undefined;
  catalogue: Catalogue;
  datasets: DatasetEntry[];
  onClose: () => void;
}

/** The data set and the settings of a run to be. */
export function TrainForm(props: Props) {
  const { document, plan, from, editable = false, onRefit, onPlanned, errors = 0, onErrors } = props;
  const { catalogue, datasets, onClose } = props;
  const t = useText();
  const [settings, setSettings] = useState<Settings>(() => (plan ? settingsOf(plan) : DEFAULTS));
  const [dataset, setDataset] = useState(() => {
    // A run's own data set stays with it, whether or not it is on this machine at the moment.
    if (plan && datasets.some((entry) => entry.name === plan.dataset)) return plan.dataset;
    return suggested(datasets, document, useRemembered.getState().dataset, t);
  });
  const entry = datasets.find((one) => one.name === dataset);
  // By whose task the plan's loss and metrics were chosen, until another one was decided upon.
  const [before, setBefore] = useState(entry);
  const [fork, setFork] = useState<Fork | null>(() => (from ? { ...from, optimizer: true } : null));
  const { name, setName, usual, named } = useName(document);
  const [advanced, setAdvanced] = useState<"unseen" | "open" | "folded">("unseen");
  const start = useStartRun((started) => {
    onPlanned?.(started);
    onClose();
  });
  const said = useSaid();
  const button = useRef<HTMLButtonElement>(null);
  const find = useRef<HTMLButtonElement>(null);
  // The form comes after the dialog has taken the focus: one press of Enter is to start. While the network has errors
  // nothing can be started, and a check may still be on its way that clears them: whoever has not gone elsewhere in
  // the form meanwhile has the button then.
  const broken = errors > 0;
  useEffect(() => {
    if (!broken && !button.current?.form?.contains(window.document.activeElement)) button.current?.focus();
  }, [broken]);
  const search = useRateSearch({ document, settings, dataset, fork });
  const refusal = start.error ?? search.refusal;
  const refused = refusedFields(refusal, settings, said);
  const opened = advanced === "open" || concernsFolded(refused);
  const change = (part: Partial<Settings>) => {
    start.reset();
    search.forgive();
    setSettings((before) => ({ ...before, ...part }));
  };
  const send = () =>
    errors === 0 &&
    start.mutate(
      { document, settings, dataset, fork, name: named(start.error instanceof UnreachableError) },
      { onError: (error) => concernsFolded(refusedFields(error, settings, said)) && setAdvanced("open") },
    );
  // What is wrong may be folded away.
  const unfold = () => setAdvanced((before) => (before === "unseen" ? before : "open"));
  return (
    <Form onSend={send} onHeld={unfold} refusal={refusal}>
      <Stack gap="md">
        {errors > 0 && <Broken errors={errors} onErrors={onErrors} />}
        {refusal && <Refusal error={refusal} refused={refused} />}
        <fieldset className={styles.order} disabled={start.isPending}>
          {fork && (
            <ForkFields
              fork={fork}
              document={document}
              plan={{ ...settings, dataset }}
              onChange={(part) => {
                start.reset();
                setFork({ ...fork, ...part });
              }}
            >
              {editable ? (
                <ToEditor document={document} plan={{ ...settings, dataset }} from={fork} />
              ) : (
                <Button size="compact-sm" variant="default" onClick={() => setFork(null)}>
                  {t.train.fork.without}
                </Button>
              )}
            </ForkFields>
          )}
          <DatasetField
            entries={datasets}
            document={document}
            unjudged={errors > 0 || settings.transforms.length > 0}
            value={dataset}
            onChange={(next) => {
              start.reset();
              setDataset(next);
            }}
            error={messageFor(refused, "dataset")}
          />
          {onRefit && entry && !entry.missing && (
            <RefitPanel
              document={document}
              entry={entry}
              before={before}
              settings={settings}
              catalogue={catalogue}
              onRefit={onRefit}
              onChange={change}
              onSettled={() => setBefore(entry)}
            />
          )}
          {entry && (
            <LossWarning document={document} plan={{ ...settings, dataset }} task={entry.task} onRefit={onRefit} />
          )}
          <Lengths settings={settings} onChange={change} refused={refused} />
          <ChoiceField
            label={t.train.optimizer}
            entries={catalogue.optimizers}
            value={settings.optimizer}
            onChange={(optimizer) => optimizer && change({ optimizer })}
            field="optimizer"
            refused={refused}
            shown={["lr", "weight_decay", "momentum"]}
            tools={{ lr: <FindButton search={search} errors={errors} ref={find} /> }}
          />
          <RatePanel
            search={search}
            onUse={(lr) => {
              const { name, arguments: others } = settings.optimizer;
              change({ optimizer: { name, arguments: { ...others, lr } } });
              search.stop();
              button.current?.focus();
            }}
            onClose={() => {
              search.stop();
              find.current?.focus();
            }}
          />
          <UnstyledButton
            className={styles.more}
            onClick={() => setAdvanced(opened ? "folded" : "open")}
            aria-expanded={opened}
          >
            {opened ? <ChevronDown size={15} aria-hidden /> : <ChevronRight size={15} aria-hidden />}
            {t.train.advanced}
          </UnstyledButton>
          {(opened || advanced !== "unseen") && (
            // Folded, but there: what was typed in it is not lost.
            <div className={styles.advanced} hidden={!opened}>
              <Advanced
                catalogue={catalogue}
                dataset={entry}
                outputs={outputNames(document)}
                settings={settings}
                onChange={change}
                refused={refused}
              />
            </div>
          )}
        </fieldset>
        <Group justify="flex-end" gap="sm" className={styles.footer}>
          <TextInput
            classNames={{ root: styles.name, label: styles.nameLabel, wrapper: styles.nameField }}
            label={t.train.name}
            placeholder={usual}
            maxLength={200}
            value={name}
            disabled={start.isPending}
            error={messageFor(refused, "name") !== undefined}
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
            disabled={errors > 0}
            data-autofocus
            data-testid="start-run"
          >
            {t.train.start}
          </Button>
        </Group>
      </Stack>
    </Form>
  );
}

/** What the run is called: as somebody types, or else by the network and a number that no run of it has. */
function useName(document: Document) {
  const [name, setName] = useState("");
  const { data } = useQuery(runsQuery);
  const usual = data ? nextName(document.name || document.main, data.items) : "";
  const last = useRef("");
  const named = (again: boolean) => {
    // An order that may have arrived is the same order the second time, though its run may be in the list by now.
    if (!again || last.current === "") last.current = usual;
    return name.trim() || last.current;
  };
  return { name, setName, usual, named };
}

function Lengths({ settings, onChange, refused }: PartProps) {
  const t = useText().train;
  return (
    <div className={styles.columns}>
      <NumberField
        label={t.epochs}
        whole
        minimum={1}
        maximum={1_000_000}
        missing={settings.epochs === null && settings.steps === null}
        value={settings.epochs}
        onChange={(epochs) => onChange({ epochs })}
        error={messageFor(refused, "epochs")}
      />
      <NumberField
        label={t.batchSize}
        whole
        minimum={1}
        maximum={65_536}
        required
        value={settings.batch_size}
        onChange={(size) => size !== null && onChange({ batch_size: size })}
        error={messageFor(refused, "batch_size")}
      />
    </div>
  );
}
