import { Select } from "@mantine/core";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { Link } from "wouter";
import type { DatasetEntry, Document } from "@/api/types";
import { isDamaged } from "@/features/data/kinds";
import { datasetTexts } from "@/features/data/texts";
import { useSaid } from "@/i18n/said";
import { useText } from "@/i18n/whole";
import { compactCount } from "@/lib/format";
import { shapeText } from "@/lib/shape";
import { misfit, requiredInputs } from "./fit";
import styles from "./TrainDialog.module.css";

interface Props {
  entries: DatasetEntry[];
  document: Document;
  /**
   * Whether nothing can be said of what fits: the network has errors, or samples are changed before it sees them, so that
   * the service alone knows.
   */
  unjudged: boolean;
  value: string;
  onChange: (name: string) => void;
  error: string | undefined;
}

/** The data set, what it holds, and whether it fits the network. */
export function DatasetField({ entries, document, unjudged, value, onChange, error }: Props) {
  const t = useText();
  const option = (entry: DatasetEntry) => ({
    value: entry.name,
    label: isDamaged(entry)
      ? `${entry.label} · ${t.data.damaged}`
      : `${datasetTexts(entry, t).label} · ${shapeText(entry.shape)}${entry.available ? "" : ` · ${entry.missing ? t.data.unavailable : t.train.datasets.unavailable}`}`,
  });
  const [builtin, uploaded] = [entries.filter((entry) => !entry.uploaded), entries.filter((entry) => entry.uploaded)];
  const entry = entries.find((one) => one.name === value);
  return (
    <div className={styles.choice}>
      <Select
        size="sm"
        label={t.train.dataset}
        data={[
          ...(uploaded.length > 0 ? [{ group: t.data.uploaded, items: uploaded.map(option) }] : []),
          { group: t.data.builtin, items: builtin.map(option) },
        ]}
        value={value}
        onChange={(name) => name && onChange(name)}
        searchable
        maxDropdownHeight={300}
        error={error}
        data-testid="dataset"
      />
      {entry && <Facts entry={entry} document={document} unjudged={unjudged} />}
    </div>
  );
}

function Facts(props: { entry: DatasetEntry; document: Document; unjudged: boolean }) {
  const { entry, document, unjudged } = props;
  const t = useText();
  const said = useSaid();
  const problem = entry.missing ? said(entry.missing.message) : misfit(entry, document, t);
  return (
    <div className={styles.facts}>
      {!isDamaged(entry) && <Known entry={entry} />}
      {unjudged ? null : problem === null ? (
        <span className={styles.fits}>
          <CircleCheck size={14} aria-hidden /> {t.train.fits}
        </span>
      ) : (
        <span className={styles.unfit} role="alert">
          <TriangleAlert size={14} aria-hidden />
          <span>
            {problem} {!entry.missing && <Remedy document={document} />}
          </span>
        </span>
      )}
    </div>
  );
}

function Known({ entry }: { entry: DatasetEntry }) {
  const t = useText().train;
  return (
    <>
      <span>{t.tasks[entry.task]}</span>
      <span>
        {t.sample} <b>{shapeText(entry.shape)}</b> {entry.dtype}
      </span>
      {entry.classes.length > 0 && (
        <span>
          {t.classes} <b>{entry.classes.length}</b>
        </span>
      )}
      <span>
        {t.samples} <b>{compactCount(entry.samples)}</b>
      </span>
    </>
  );
}

/** What helps: no data set that comes with LayerLoom feeds several inputs, but an upload may. */
function Remedy({ document }: { document: Document }) {
  const t = useText().train;
  const names = requiredInputs(document).map(([name]) => name);
  if (names.length < 2) return t.inputHint;
  return (
    <>
      {t.inputsHint(names.join(", "))} <Link to="/data">{t.toData}</Link>
    </>
  );
}
