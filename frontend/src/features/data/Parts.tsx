import { Alert, Text } from "@mantine/core";
import type { CSSProperties } from "react";
import type { DatasetPreview } from "@/api/types";
import { useText } from "@/i18n/whole";
import { ProblemText } from "@/ui/ProblemText";
import styles from "./Parts.module.css";

const PARTS = ["training", "validation", "test"] as const;
type Part = (typeof PARTS)[number];
type Counts = DatasetPreview["counts"];
type Division = DatasetPreview["division"];

const share = (part: number, all: number) => `${(100 * part) / Math.max(1, all)}%`;

/** How many samples are for training, for validation and for test, and who decides that. */
export function Parts({ counts, division }: { counts: Counts; division: Division }) {
  const t = useText().data.parts;
  const classes = Object.keys(counts).length;
  const found = sizes(division);
  const all = found.reduce((sum, [, samples]) => sum + samples, 0);
  return (
    <>
      {division.problem && (
        <Alert color="yellow" title={t.undivided}>
          <ProblemText code={division.problem.code} message={division.problem.message} />
        </Alert>
      )}
      {found.length > 0 && (
        <>
          <div className={styles.whole} aria-hidden="true">
            {found.map(([part, samples]) => (
              <span key={part} data-part={part} style={{ width: share(samples, all) }} />
            ))}
          </div>
          <dl className={styles.key}>
            {found.map(([part, samples]) => (
              <div key={part} data-testid={`part-${part}`}>
                <i data-part={part} aria-hidden="true" />
                <dt>{t.names[part]}</dt>
                <dd>
                  <b>{samples.toLocaleString("en-US")}</b> <span>{percent(samples / all)}</span>
                </dd>
              </div>
            ))}
          </dl>
          <Text size="xs" c="dimmed">
            {division.own ? t.own : t.chosen(classes > 0)}
            {division.parts.test && ` ${t.testIsKept}`}
          </Text>
        </>
      )}
      {classes === 1 && (
        <Alert color="yellow" mt="sm">
          {t.oneClass}
        </Alert>
      )}
      {classes > 1 && <Classes counts={counts} division={division} />}
    </>
  );
}

function sizes(division: Division): [Part, number][] {
  return PARTS.flatMap((part) => {
    const facts = division.parts[part];
    return facts ? [[part, facts.samples] as [Part, number]] : [];
  });
}

const percent = (value: number) => `${Number((100 * value).toPrecision(3))}%`;

/** How many samples each class has, as bars of its parts. */
function Classes({ counts, division }: { counts: Counts; division: Division }) {
  const t = useText().data;
  const rows = Object.entries(counts);
  const most = Math.max(...rows.map(([, count]) => count));
  const parts = sizes(division).map(([part]) => part);
  const sums = rows.map(([name, count]) => sum(name, count, parts, division));
  // Bars can only be compared where they begin and end alike.
  const width = { "--counts": `${Math.max(...sums.map((text) => text.length))}ch` } as CSSProperties;
  return (
    <>
      <h3 className={styles.title}>{t.balance}</h3>
      <dl className={styles.bars} style={width}>
        {rows.map(([name, count], index) => {
          const each = parts.map((part) => [part, division.parts[part]?.counts[name] ?? 0] as const);
          const told = each.map(([part, samples]) => `${t.parts.names[part]} ${samples.toLocaleString("en-US")}`);
          return (
            <div key={name} className={styles.row} data-class={name}>
              <dt title={name}>{name}</dt>
              <dd title={told.join(", ")}>
                <span className={styles.bar} aria-hidden="true">
                  {(each.length > 0 ? each : [["training", count] as const])
                    .filter(([, samples]) => samples > 0)
                    .map(([part, samples]) => (
                      <span key={part} data-part={part} style={{ width: share(samples, most) }} />
                    ))}
                </span>
                <span className={styles.counts}>{sums[index]}</span>
              </dd>
            </div>
          );
        })}
      </dl>
    </>
  );
}

/** 59 = 47 + 12: all samples of a class, and those of each part in the order of the parts. */
function sum(name: string, count: number, parts: Part[], division: Division): string {
  const each = parts.map((part) => (division.parts[part]?.counts[name] ?? 0).toLocaleString("en-US"));
  return [count.toLocaleString("en-US"), each.join(" + ")].filter(Boolean).join(" = ");
}
