import { ActionIcon, Tooltip } from "@mantine/core";
import { ExternalLink } from "lucide-react";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import type { Problem, Result } from "@/api/types";
import type { HelpCard } from "@/features/canvas/state";
import { Explain } from "@/features/help/Explain";
import { FixButtons } from "@/features/problems/FixButtons";
import { useText } from "@/i18n";
import { useSaid } from "@/i18n/said";
import { bytes, compactCount } from "@/lib/format";
import { resultText } from "@/model/report";
import { ProblemText } from "@/ui/ProblemText";
import styles from "./Inspector.module.css";

export function Head(props: {
  title: string;
  subtitle?: string | undefined;
  colour?: string | undefined;
  link?: string | undefined;
  help?: HelpCard | undefined;
  back?: ReactNode;
}) {
  const t = useText().editor.inspector;
  return (
    <header className={styles.head}>
      {props.colour && <span className={styles.mark} style={{ background: props.colour }} />}
      <div className={styles.titles}>
        {props.back}
        <h2 className={styles.title}>{props.title}</h2>
        {props.subtitle && <div className={styles.subtitle}>{props.subtitle}</div>}
      </div>
      {props.help && <Explain card={props.help} label={props.title} />}
      {props.link && (
        <Tooltip label={t.docs}>
          <ActionIcon
            component="a"
            href={props.link}
            target="_blank"
            rel="noreferrer"
            variant="subtle"
            color="gray"
            aria-label={t.docs}
          >
            <ExternalLink size={15} aria-hidden />
          </ActionIcon>
        </Tooltip>
      )}
    </header>
  );
}

export function Section({ title, action, children }: { title?: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section className={styles.section}>
      {title && (
        <h3 className={styles.sectionTitle}>
          {title}
          {action}
        </h3>
      )}
      {children}
    </section>
  );
}

/** What the last check saw of something that was called. */
export function Facts(props: {
  inputs: { [name: string]: Result };
  output: Result | null;
  parameters?: number | undefined;
  flops: number;
  memory: number;
  batch: number;
}) {
  const t = useText().editor.inspector;
  const inputs = Object.entries(props.inputs);
  return (
    <dl className={styles.facts} data-testid="facts">
      {inputs.map(([name, result]) => (
        <Fact key={name} name={inputs.length > 1 ? name : t.input} value={resultText(result, props.batch)} />
      ))}
      <Fact name={t.output} value={resultText(props.output, props.batch) || "–"} />
      {props.parameters !== undefined && <Fact name={t.parameters} value={props.parameters.toLocaleString("en-US")} />}
      <Fact name={t.flops} value={compactCount(perSample(props.flops, props.batch))} />
      <Fact name={t.memory} value={bytes(perSample(props.memory, props.batch))} />
    </dl>
  );
}

/** Costs are counted for the example batch; people think of one sample. */
export const perSample = (cost: number, batch: number): number => (batch > 0 ? cost / batch : cost);

export function Fact({ name, value }: { name: string; value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}

/** What the service says of one argument, in the reader's language. */
export function useArgumentErrors(problems: readonly Problem[]): (name: string) => string | undefined {
  const said = useSaid();
  return (name) => {
    const found = problems.find((problem) => problem.port === name);
    return found && said(found.message);
  };
}

/** Problems of what is shown, with their mends. The field that is being edited stays in sight. */
export function Problems({ problems }: { problems: readonly Problem[] }) {
  const t = useText();
  const box = useRef<HTMLElement>(null);
  const shown = problems.map((it) => it.code + it.message).join();
  useLayoutEffect(() => {
    const field = document.activeElement;
    if (shown === "" || !box.current?.parentElement?.contains(field)) return;
    const covered = (field?.getBoundingClientRect().bottom ?? 0) - box.current.getBoundingClientRect().top;
    if (covered > 0) box.current.closest(".mantine-ScrollArea-viewport")?.scrollBy(0, covered + 12);
  }, [shown]);
  if (problems.length === 0) return null;
  return (
    <section className={styles.problems} ref={box} data-testid="inspector-problems">
      {problems.map((problem) => (
        <div key={problem.code + problem.message} className={styles.problem} data-severity={problem.severity}>
          <div>
            <strong>{t.problems[problem.code]}</strong> <ProblemText code={problem.code} message={problem.message} />
          </div>
          <FixButtons problem={problem} variant="default" />
        </div>
      ))}
    </section>
  );
}
