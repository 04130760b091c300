import { NavLink as Item } from "@mantine/core";
import { ChartSpline, CloudDownload, CloudOff, FileWarning, Grid3x3, Table2, TextQuote } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link } from "wouter";
import type { DatasetEntry } from "@/api/types";
import { useSaid } from "@/i18n/said";
import { type Texts, useText } from "@/i18n/whole";
import { compactCount } from "@/lib/format";
import { shapeText } from "@/lib/shape";
import styles from "./DatasetList.module.css";
import { isDamaged, sampleKind } from "./kinds";
import { datasetTexts } from "./texts";

const ICONS = { image: Grid3x3, sequence: ChartSpline, tokens: ChartSpline, text: TextQuote, row: Table2 };

/** All data sets, each a link to its contents. */
export function DatasetList({ entries, chosen }: { entries: DatasetEntry[]; chosen: string | undefined }) {
  const t = useText().data;
  const uploads = entries.filter((entry) => entry.uploaded);
  const list = useRef<HTMLElement>(null);
  // An address may name one that lies far down.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen is marked in the list
  useEffect(() => {
    // Returns a promise in newer browsers, which an effect must not.
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <nav className={styles.list} aria-label={t.list} ref={list}>
      {uploads.length > 0 && <Group title={t.uploaded} entries={uploads} chosen={chosen} />}
      <Group title={t.builtin} entries={entries.filter((entry) => !entry.uploaded)} chosen={chosen} />
    </nav>
  );
}

function Group(props: { title: string; entries: DatasetEntry[]; chosen: string | undefined }) {
  const t = useText();
  const said = useSaid();
  return (
    <section>
      <h2 className={styles.group}>{props.title}</h2>
      {props.entries.map((entry) => {
        const Icon = icon(entry);
        return (
          <Item
            key={entry.name}
            component={Link}
            to={`/data?set=${encodeURIComponent(entry.name)}`}
            label={datasetTexts(entry, t).label}
            description={isDamaged(entry) ? t.data.damaged : `${shapeText(entry.shape)} · ${state(entry, t)}`}
            title={entry.missing ? said(entry.missing.message) : undefined}
            leftSection={<Icon size={17} aria-hidden />}
            active={entry.name === props.chosen}
            aria-current={entry.name === props.chosen ? "true" : undefined}
            className={styles.item}
          />
        );
      })}
    </section>
  );
}

function icon(entry: DatasetEntry) {
  if (entry.available) return ICONS[sampleKind(entry)];
  if (isDamaged(entry)) return FileWarning;
  return entry.missing ? CloudOff : CloudDownload;
}

function state(entry: DatasetEntry, t: Texts): string {
  if (entry.available) return t.data.samples(compactCount(entry.samples));
  return entry.missing ? t.data.unavailable : t.data.onDemand;
}
