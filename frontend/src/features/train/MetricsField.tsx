import { MultiSelect } from "@mantine/core";
import type { Choice, Entry } from "@/api/types";
import { metricTitle, seriesName } from "@/features/charts/groups";
import { Explain } from "@/features/help/Explain";
import { useText } from "@/i18n/whole";
import { Arguments, editable } from "./Arguments";
import { messageBeside, messageFor, type Refused } from "./problems";
import styles from "./TrainDialog.module.css";

interface Props {
  entries: Entry[];
  /** Null: those of the task. */
  value: Choice[] | null;
  onChange: (value: Choice[] | null) => void;
  /** Where the metrics stand in the plan. */
  field?: string;
  /** What is said where none is chosen. */
  none?: string;
  refused: Refused;
}

/** The metrics, and the arguments of those that cannot do without, or were given some. */
export function MetricsField({ entries, value, onChange, field: at = "metrics", none, refused }: Props) {
  const t = useText();
  const chosen = value ?? [];
  const choose = (names: string[]) => {
    const next = names.map((name) => chosen.find((one) => one.name === name) ?? { name, arguments: {} });
    onChange(next.length > 0 ? next : null);
  };
  const asked = chosen.flatMap((choice, index) => {
    const entry = entries.find((one) => one.name === choice.name);
    const needs = entry && editable(entry).some((spec) => spec.required || spec.name in choice.arguments);
    return entry && needs ? [{ entry, choice, field: `${at}.${index}` }] : [];
  });
  const put = (next: Choice) => onChange(chosen.map((one) => (one.name === next.name ? next : one)));
  return (
    <div className={styles.choice}>
      <MultiSelect
        label={t.train.metrics}
        placeholder={chosen.length > 0 ? "" : (none ?? t.train.metricsByTask)}
        data={entries.map(({ name }) => ({ value: name, label: metricTitle(seriesName(name), t) }))}
        value={chosen.map((metric) => metric.name)}
        onChange={choose}
        searchable
        clearable
        maxDropdownHeight={240}
        error={messageBeside(
          refused,
          at,
          asked.map(({ field }) => field),
        )}
      />
      {chosen.length > 0 && (
        <div className={styles.explanations}>
          {chosen.map(({ name, arguments: given }) => {
            const title = metricTitle(seriesName(name), t);
            return (
              <span key={name}>
                {title} <Explain card={{ name, arguments: given }} label={title} small />
              </span>
            );
          })}
        </div>
      )}
      {asked.map(({ entry, choice, field }) => (
        <section key={entry.name}>
          <h3 className={styles.metric}>{metricTitle(seriesName(entry.name), t)}</h3>
          <Arguments
            entry={entry}
            value={choice}
            onChange={put}
            errorOf={(argument) => messageFor(refused, `${field}.arguments.${argument}`)}
          />
        </section>
      ))}
    </div>
  );
}
