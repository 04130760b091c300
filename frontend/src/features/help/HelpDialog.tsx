import { ActionIcon, Anchor, Modal, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Check, Copy, ExternalLink } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { catalogueQuery, helpQuery } from "@/api/queries";
import type { Catalogue, Element, Entry, Help } from "@/api/types";
import { categoryColour } from "@/features/canvas/categories";
import { type HelpCard, useCanvas } from "@/features/canvas/state";
import { useText } from "@/i18n";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { Elements } from "./Elements";
import styles from "./HelpDialog.module.css";
import { Strip, windowOf } from "./Strip";

type Content = (string | Element)[];

/** What the catalogue knows of one layer, operation or other entry, and what its docstring says, in torch's own words. */
export function HelpDialog() {
  const card = useCanvas((state) => state.help);
  const [last, setLast] = useState(card);
  // While it closes, it shows what it showed.
  if (card && card !== last) setLast(card);
  // It may arrive after the wish for it. A dialog that begins open does not know where the keyboard was, to give it back.
  const [arrived, setArrived] = useState(false);
  useEffect(() => setArrived(true), []);
  const { data } = useQuery(catalogueQuery);
  const shown = card ?? last;
  const entry = shown && data && entryOf(data, shown.name);
  return (
    <Modal.Root
      opened={arrived && card !== null}
      onClose={() => useCanvas.setState({ help: null })}
      size={760}
      data-testid="help-card"
    >
      <Modal.Overlay />
      <Modal.Content>
        {entry && (
          <>
            <Heading entry={entry} />
            <Modal.Body className={styles.body}>
              <Card card={shown} entry={entry} />
            </Modal.Body>
          </>
        )}
      </Modal.Content>
    </Modal.Root>
  );
}

function entryOf(catalogue: Catalogue, name: string): Entry | undefined {
  const { layers, operations, initializers, optimizers, schedulers, losses, metrics, transforms } = catalogue;
  const entries = [layers, operations, initializers, optimizers, schedulers, losses, metrics, transforms].flat();
  return entries.find((entry) => entry.name === name);
}

function Heading({ entry }: { entry: Entry }) {
  const { common, editor } = useText();
  return (
    <Modal.Header className={styles.head}>
      <span className={styles.mark} style={{ background: categoryColour(entry.category) }} />
      <div className={styles.titles}>
        <Modal.Title className={styles.title}>{entry.label}</Modal.Title>
        <div className={styles.name}>{entry.name}</div>
      </div>
      {entry.link && (
        <Anchor className={styles.link} href={entry.link} target="_blank" rel="noreferrer" size="sm">
          {editor.inspector.docs}
          <ExternalLink size={13} aria-hidden />
        </Anchor>
      )}
      <Modal.CloseButton data-autofocus aria-label={common.actions.close} />
    </Modal.Header>
  );
}

function Card({ card, entry }: { card: HelpCard; entry: Entry }) {
  const { help: t } = useText();
  const { data, error, isPending, refetch } = useQuery(helpQuery(card.name));
  if (isPending) return <ListSkeleton rows={6} height={22} />;
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  const view = windowOf(entry.parameters, card.arguments ?? {});
  const { lead, rest } = parted(data.description);
  return (
    <>
      {lead.length > 0 && (
        <div className={styles.lead} lang="en">
          <Elements content={lead} />
        </div>
      )}
      {isEmpty(data) && <Empty title={t.card.empty}>{t.card.emptyHint}</Empty>}
      <Part title={t.card.shape} name="shape" content={data.shape}>
        {view && (
          <figure className={styles.figure}>
            <Strip window={view} />
            <figcaption aria-hidden>
              {t.strip.describe(view.kernel, view.stride, view.padding, view.dilation)}
            </figcaption>
          </figure>
        )}
      </Part>
      <Part title={t.card.description} name="description" content={rest} />
      <Told title={t.card.arguments} name="parameters" told={data.parameters} />
      <Told title={t.card.attributes} name="attributes" told={data.attributes} />
      <Part title={t.card.returns} name="returns" content={data.returns} />
      <Part title={t.card.notes} name="notes" content={data.notes} />
      <Part
        title={t.card.examples}
        name="examples"
        content={data.examples}
        action={<CopyExample examples={data.examples} />}
      />
    </>
  );
}

/** Its first paragraph, with the formula that it announces. */
export function parted(description: Content): { lead: Content; rest: Content } {
  const announces = textOf(description.slice(0, 1)).trimEnd().endsWith(":");
  const end = announces ? 2 : 1;
  return { lead: description.slice(0, end), rest: description.slice(end) };
}

const textOf = (parts: readonly (string | Element)[]): string =>
  parts.map((part) => (typeof part === "string" ? part : textOf(part.content))).join("");

const isEmpty = ({ description, shape, parameters, notes, examples }: Help): boolean =>
  [description, shape, parameters, notes, examples].every((part) => part.length === 0);

function Part(props: { title: string; name: string; content: Content; action?: ReactNode; children?: ReactNode }) {
  if (props.content.length === 0) return null;
  return (
    <section className={styles.part} data-part={props.name}>
      <h3>
        {props.title}
        {props.action}
      </h3>
      <div className={styles.text} lang="en">
        <Elements content={props.content} />
      </div>
      {props.children}
    </section>
  );
}

function Told({ title, name, told }: { title: string; name: string; told: Help["parameters"] }) {
  if (told.length === 0) return null;
  return (
    <section className={styles.part} data-part={name}>
      <h3>{title}</h3>
      <dl className={styles.told} lang="en">
        {told.map((it) => (
          <div key={it.name}>
            <dt>
              <code>{it.name}</code>
              {it.type && <span className={styles.type}>{it.type}</span>}
            </dt>
            <dd className={styles.text}>
              <Elements content={it.content} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** The example as it is run: without prompts, and without what it prints. */
export function runnable(content: readonly (string | Element)[]): string {
  const lines = content
    .flatMap((part) => (typeof part !== "string" && part.tag === "pre" ? textOf(part.content).split("\n") : []))
    .map((line) => line.trimStart());
  if (!lines.some((line) => line.startsWith(">>>"))) return lines.length > 0 ? textOf(content) : "";
  return lines
    .filter((line) => /^(>>>|\.\.\.)( |$)/.test(line))
    .map((line) => line.slice(4))
    .join("\n");
}

function CopyExample({ examples }: { examples: Content }) {
  const { help: t } = useText();
  const [copied, setCopied] = useState(false);
  const label = copied ? t.card.copied : t.card.copy;
  const copy = async () => {
    await navigator.clipboard.writeText(runnable(examples));
    setCopied(true);
  };
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size="sm"
        aria-label={label}
        onClick={() => void copy()}
        onBlur={() => setCopied(false)}
      >
        {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}
