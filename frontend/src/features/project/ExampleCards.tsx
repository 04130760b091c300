import { UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { ArrowRight } from "lucide-react";
import type { Example } from "@/api/types";
import { useLanguage, useText } from "@/i18n";
import { compactCount } from "@/lib/format";
import { ErrorNotice, ListSkeleton, NoHits } from "@/ui/States";
import styles from "./ExampleCards.module.css";
import { examplesQuery, FAMILIES, found, shapesOf, wordsOf } from "./examples";
import { openExample } from "./project";
import { RoamingField } from "./RoamingField";
import { useLeave } from "./useLeave";
import { useRoaming } from "./useRoaming";

/** Networks that come with the program, by family. Arrow keys go from the field to the cards and among them. */
export function ExampleCards({ onClose }: { onClose: () => void }) {
  const t = useText().editor.project;
  const leave = useLeave();
  const { query, clear, list, field, fromCard } = useRoaming("[data-example]", () => fitting[0] && open(fitting[0]));
  const { data, error, refetch } = useQuery(examplesQuery);
  const fitting = data ? found(data, query, t.families) : [];
  const open = (example: Example) => void leave(() => openExample(example), onClose);
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <ListSkeleton rows={4} height={64} />;
  return (
    <div data-search>
      <RoamingField field={field} label={t.searchExamples} sticky />
      <div ref={list} className={styles.families}>
        {FAMILIES.map((family) => {
          const members = fitting.filter((example) => example.family === family);
          return (
            members.length > 0 && (
              <section key={family} aria-label={t.families[family]}>
                <h3 className={styles.family}>
                  {t.families[family]} <span>{members.length}</span>
                </h3>
                {/* biome-ignore lint/a11y/noStaticElementInteractions: the cards inside are buttons; this hears their arrow keys */}
                <div className={styles.cards} onKeyDown={fromCard}>
                  {members.map((example) => (
                    <Card key={example.id} example={example} onOpen={() => open(example)} />
                  ))}
                </div>
              </section>
            )
          );
        })}
        {fitting.length === 0 && <NoHits onClear={clear}>{t.noExample(query)}</NoHits>}
      </div>
    </div>
  );
}

function Card({ example, onOpen }: { example: Example; onOpen: () => void }) {
  const t = useText().editor.project;
  const { title, summary } = wordsOf(
    example,
    useLanguage((state) => state.language),
  );
  const { given, returned } = shapesOf(example);
  return (
    <UnstyledButton className={styles.card} data-example={example.id} onClick={onOpen}>
      <span className={styles.title}>{title}</span>
      <span className={styles.summary} title={summary}>
        {summary}
      </span>
      <span className={styles.facts}>
        <span className={styles.shapes} aria-label={t.fromTo(given, returned)} role="img">
          {given} <ArrowRight size={12} aria-hidden /> {returned}
        </span>
        <span>{t.parameters(compactCount(example.parameters))}</span>
      </span>
    </UnstyledButton>
  );
}
