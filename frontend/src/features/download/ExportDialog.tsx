import { Modal, SegmentedControl, Stack, Text } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { formatsQuery, type Subject, writtenFile } from "@/api/exports";
import type { ExportFormat, Problem } from "@/api/types";
import { useText } from "@/i18n/whole";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { saveBlob } from "@/ui/save";
import styles from "./ExportDialog.module.css";
import { ExportRow, type Outcome } from "./ExportRow";

type Props = {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** What is written: asked when a format is chosen. */
  subject: () => Subject;
  /** Tells apart what is written: what became of one thing is not said of the next. */
  of?: string;
  /** Of which kinds; the others are to be had elsewhere. */
  kinds?: readonly ExportFormat["kind"][];
  /** Above the formats: of what they are. */
  children?: ReactNode;
  /** Before the formats: what needs no service. */
  own?: ReactNode;
  /** Nothing can be written at present. */
  blocked?: boolean;
  onProblem?: (problem: Problem) => void;
};

/** Every format that the service lists, written on request, with what is known of the file. */
export function ExportDialog({ opened, onClose, title, children, of, ...rest }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={620} data-testid="export-dialog">
      <Stack gap="md">
        {children}
        <Formats key={of} {...rest} />
      </Stack>
    </Modal>
  );
}

const KINDS = ["source", "weights", "program", "quantized"] as const;

/** Lives as long as the dialog is open: closing it gives up what is being written. */
function Formats({
  subject,
  kinds = KINDS,
  own,
  blocked,
  onProblem,
}: Omit<Props, "opened" | "onClose" | "title" | "children" | "of">) {
  const t = useText().exporting;
  const { data, error, refetch } = useQuery(formatsQuery);
  const writing = useWriting(subject);
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data) return <ListSkeleton rows={6} height={52} />;
  return KINDS.filter((kind) => kinds.includes(kind)).map((kind) => {
    const formats = data.filter((format) => format.kind === kind);
    if (formats.length === 0) return null;
    return (
      <section key={kind} aria-label={t.kinds[kind]}>
        <h3 className={styles.kind}>{t.kinds[kind]}</h3>
        <ul className={styles.rows}>
          {kind === "source" && own}
          {formats.map((format) => (
            <ExportRow
              key={format.name}
              format={format}
              outcome={writing.outcome(format.name)}
              disabled={blocked || writing.busy}
              onDownload={() => writing.start(format.name)}
              onCancel={writing.cancel}
              onProblem={onProblem}
            />
          ))}
        </ul>
      </section>
    );
  });
}

/** One file at a time, and what became of the last one. */
function useWriting(subject: () => Subject) {
  const now = useRef<AbortController>(undefined);
  const { mutate, variables, isPending, error, data, reset } = useMutation({
    mutationFn: (format: string) => {
      now.current = new AbortController();
      return writtenFile(subject(), format, now.current.signal);
    },
    onSuccess: (file) => saveBlob(file.content, file.name),
  });
  const cancel = () => {
    now.current?.abort();
    reset();
  };
  useEffect(() => () => now.current?.abort(), []);
  return {
    busy: isPending,
    start: (format: string) => mutate(format),
    cancel,
    outcome: (format: string): Outcome => {
      if (format !== variables) return { is: "idle" };
      if (isPending) return { is: "writing" };
      if (error) return { is: "failed", error };
      return data ? { is: "saved", file: data } : { is: "idle" };
    },
  };
}

/** A run's network as a program, or rounded. `choices` are checkpoints: "last", "best" or a step. */
export function ExportRunDialog(props: {
  id: string;
  choices: readonly string[];
  opened: boolean;
  onClose: () => void;
}) {
  const t = useText().exporting;
  const [chosen, setChosen] = useState<string | null>(null);
  const which = chosen !== null && props.choices.includes(chosen) ? chosen : (props.choices[0] ?? "last");
  const name = (choice: string) => (choice === "last" || choice === "best" ? t.weights[choice] : t.step(choice));
  return (
    <ExportDialog
      opened={props.opened}
      onClose={props.onClose}
      title={t.trainedTitle}
      // Code and weights need no writing, and are links where they are offered.
      kinds={["program", "quantized"]}
      subject={() => ({ kind: "run", id: props.id, which })}
      of={which}
    >
      {props.choices.length > 1 ? (
        <SegmentedControl
          aria-label={t.weightsOf}
          value={which}
          onChange={setChosen}
          data={props.choices.map((value) => ({ value, label: name(value) }))}
        />
      ) : (
        <Text size="sm" c="dimmed">
          {name(which)}
        </Text>
      )}
    </ExportDialog>
  );
}
