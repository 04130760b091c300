import { NativeSelect, Table, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ColumnFacts } from "@/api/types";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import styles from "./Columns.module.css";
import { type Column, withColumn } from "./reading";

const MOST = 100;
const MANY = 15;
const ROLES = ["feature", "target", "ignored"] as const;

interface Props {
  columns: ColumnFacts[];
  chosen: Column[];
  /** Nothing can be changed, and so there are no fields. */
  fixed: boolean;
  onChange: (chosen: Column[]) => void;
}

/** A line per column: what it is read as, and its statistics. */
export function ColumnTable({ columns, chosen, fixed, onChange }: Props) {
  const t = useText().data.columns;
  const [filter, setFilter] = useState("");
  const found = columns.filter((column) => column.name.toLowerCase().includes(filter.trim().toLowerCase()));
  const byName = new Map(chosen.map((column) => [column.name, column]));
  return (
    <>
      {columns.length > MANY && (
        <TextInput
          size="xs"
          maw={260}
          mb={8}
          placeholder={t.filter}
          aria-label={t.filter}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls has to be reachable by keyboard */}
      <section className={styles.scroll} tabIndex={0} aria-label={t.title}>
        <Table verticalSpacing={4} className={styles.table}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t.column}</Table.Th>
              <Table.Th>{t.kind}</Table.Th>
              <Table.Th>{t.role}</Table.Th>
              <Table.Th className={styles.number}>{t.missing}</Table.Th>
              <Table.Th className={styles.number}>{t.distinct}</Table.Th>
              <Table.Th className={styles.number}>{t.range}</Table.Th>
              <Table.Th className={styles.number}>{t.mean}</Table.Th>
              <Table.Th>{t.values}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {found.slice(0, MOST).map((facts) => (
              <Line
                key={facts.name}
                facts={facts}
                column={byName.get(facts.name)}
                fixed={fixed}
                onChange={(change) => onChange(withColumn(chosen, facts, change))}
              />
            ))}
          </Table.Tbody>
        </Table>
      </section>
      {found.length > MOST && (
        <Text size="xs" c="dimmed">
          {t.more(found.length - MOST)}
        </Text>
      )}
    </>
  );
}

interface LineProps {
  facts: ColumnFacts;
  column: Column | undefined;
  fixed: boolean;
  onChange: (change: Partial<Column>) => void;
}

function Line({ facts, column, fixed, onChange }: LineProps) {
  const t = useText().data.columns;
  const { name } = facts;
  const role = column?.role ?? "ignored";
  const hint = [facts.stored, facts.note && t.notes[facts.note]].filter(Boolean).join(" · ");
  return (
    <Table.Tr data-column={name} data-ignored={role === "ignored" || undefined}>
      <Table.Td className={styles.name}>
        <span title={name}>{name}</span>
        {hint && <small>{hint}</small>}
      </Table.Td>
      <Table.Td>
        {fixed && t.kinds[facts.kind]}
        {column && !fixed && (
          <NativeSelect
            size="xs"
            className={styles.choice}
            aria-label={t.kindOf(name)}
            value={column.kind}
            disabled={facts.kinds.length < 2}
            data={facts.kinds.map((value) => ({ value, label: t.kinds[value] }))}
            onChange={({ currentTarget }) => {
              const kind = facts.kinds.find((one) => one === currentTarget.value);
              if (kind !== undefined) onChange({ kind });
            }}
          />
        )}
      </Table.Td>
      <Table.Td>
        {fixed && t.roles[facts.role]}
        {column && !fixed && (
          <NativeSelect
            size="xs"
            className={styles.choice}
            aria-label={t.roleOf(name)}
            value={role}
            data={ROLES.map((value) => ({ value, label: t.roles[value] }))}
            onChange={({ currentTarget }) => {
              const next = ROLES.find((one) => one === currentTarget.value);
              if (next !== undefined) onChange({ role: next });
            }}
          />
        )}
      </Table.Td>
      <Table.Td className={styles.number}>{facts.missing.toLocaleString("en-US")}</Table.Td>
      <Table.Td className={styles.number}>
        {facts.distinct === null ? t.many : facts.distinct > 0 ? facts.distinct.toLocaleString("en-US") : ""}
      </Table.Td>
      <Table.Td className={styles.number}>
        {facts.minimum !== null && `${shortNumber(facts.minimum)} … ${shortNumber(facts.maximum)}`}
      </Table.Td>
      <Table.Td className={styles.number}>
        {facts.mean !== null && `${shortNumber(facts.mean)} ± ${shortNumber(facts.deviation)}`}
      </Table.Td>
      <Table.Td>
        <Shape facts={facts} kind={column?.kind} />
      </Table.Td>
    </Table.Tr>
  );
}

const BARS = { width: 120, height: 26 };

/** How values are spread: a histogram of numbers, or the most frequent values. */
function Shape({ facts, kind }: { facts: ColumnFacts; kind: string | undefined }) {
  const t = useText().data.columns;
  const common = Object.entries(facts.common);
  // Of texts nearly each is its own; a file of text has the most frequent tokens here.
  const telling = kind !== "text" || facts.kinds.length === 1;
  if (common.length > 0 && telling && (kind !== "number" || facts.histogram.length === 0)) {
    return (
      <span className={styles.common}>
        {common.slice(0, 4).map(([value, count]) => (
          <span key={value} title={`${value}: ${count}`}>
            <b>{value.trim() === "" ? JSON.stringify(value) : value}</b> {count.toLocaleString("en-US")}
          </span>
        ))}
      </span>
    );
  }
  if (facts.histogram.length === 0) return null;
  const most = Math.max(1, ...facts.histogram);
  const width = BARS.width / facts.histogram.length;
  return (
    <svg
      viewBox={`0 0 ${BARS.width} ${BARS.height}`}
      className={styles.histogram}
      role="img"
      aria-label={t.histogram(facts.name)}
    >
      {facts.sampled !== null && <title>{t.sampled(facts.sampled.toLocaleString("en-US"))}</title>}
      {facts.histogram.map((count, index) => {
        // A bar that stands for something is seen.
        const height = count === 0 ? 0 : Math.max(1.5, (count / most) * BARS.height);
        return (
          <rect
            // biome-ignore lint/suspicious/noArrayIndexKey: an interval is its index
            key={index}
            x={index * width}
            y={BARS.height - height}
            width={width - 1}
            height={height}
          />
        );
      })}
    </svg>
  );
}
