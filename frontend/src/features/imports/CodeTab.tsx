import { Alert, Button, Code, FileButton, Group, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CircleAlert, FileText, ShieldAlert, ShieldCheck } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { ApiError } from "@/api/errors";
import { importSourcesQuery, outlineQuery } from "@/api/imports";
import type { Outline } from "@/api/types";
import { useOpening } from "@/features/project/opening";
import { useText } from "@/i18n";
import { Said } from "@/ui/Said";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { ClassForm, type Given, NOTHING, requestOf } from "./ClassForm";
import styles from "./Imports.module.css";
import { Progress } from "./Progress";
import { useImport } from "./useImport";
import { useOpenFile } from "./useOpenFile";

const CodeEditor = lazy(async () => ({ default: (await import("./CodeEditor")).CodeEditor }));
/** Until a text is looked into, while it is being typed. */
const PAUSE_MS = 250;

/** A class of Python code as a network: pasted, typed, or from a file; and the files that only the service reads. */
export function CodeTab({ onClose }: { onClose: () => void }) {
  const t = useText().imports;
  const { source: first, file } = useOpening.getState();
  const sources = useQuery(importSourcesQuery);
  const openFile = useOpenFile();
  const opening = useImport(onClose);
  const [source, setSource] = useState(first);
  const [name, setName] = useState("");
  const [given, setGiven] = useState<Given>(NOTHING);
  const [shown, setShown] = useState(0);
  const [settled] = useDebouncedValue(source, PAUSE_MS);
  const { data, error } = useQuery({
    ...outlineQuery(settled, name),
    enabled: settled.trim() !== "",
    placeholderData: keepPreviousData,
  });
  const outline = settled.trim() === "" ? undefined : data;
  const classes = outline?.classes ?? [];
  const chosen = classes.find((one) => one.name === outline?.chosen);
  const request = chosen && source === settled ? requestOf(source, chosen, given) : null;
  const refused = outline !== undefined && !outline.readable && sources.data?.python === false;
  const line = lineOf(opening.error) ?? (outline?.readable ? null : (outline?.line ?? null));

  const { start } = opening;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, with what the dialog was opened with
  useEffect(() => {
    if (file) start({ source: { kind: "file", file }, name: file.name.replace(/\.[^.]*$/, "") });
  }, []);
  const type = (text: string) => {
    setSource(text);
    if (opening.error) opening.reset();
  };
  const send = () => {
    if (request && chosen) start({ source: { kind: "request", body: request }, name: chosen.name });
  };
  return (
    <form
      className={styles.code}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
      }}
    >
      <div className={styles.columns}>
        <div className={styles.editor}>
          <Suspense fallback={<ListSkeleton rows={8} height={16} />}>
            <CodeEditor
              value={source}
              onChange={type}
              line={line}
              shown={shown}
              label={t.code.editor}
              hint={t.code.placeholder}
            />
          </Suspense>
        </div>
        <ClassForm classes={classes} chosen={chosen} onChoose={setName} given={given} onChange={setGiven} />
      </div>
      {error && <ErrorNotice error={error} />}
      {opening.error ? (
        <AtLine line={lineOf(opening.error)} onShow={() => setShown(shown + 1)}>
          <ErrorNotice error={opening.error} />
        </AtLine>
      ) : (
        outline && <Told outline={outline} refused={refused} onShow={() => setShown(shown + 1)} />
      )}
      {opening.pending !== null ? (
        <Progress name={opening.pending} onCancel={opening.cancel} />
      ) : (
        <Group justify="space-between">
          <Group gap="xs">
            <FileButton onChange={(chosenFile) => chosenFile && openFile(chosenFile, type)}>
              {(button) => (
                <Button {...button} variant="default" leftSection={<FileText size={15} aria-hidden />}>
                  {t.code.file}
                </Button>
              )}
            </FileButton>
            <Text size="xs" c="dimmed">
              {sources.data && t.code.fileHint(otherFiles(sources.data.files))}
            </Text>
          </Group>
          <Button type="submit" disabled={request === null || refused} data-testid="import-open">
            {t.code.open}
          </Button>
        </Group>
      )}
    </form>
  );
}

const otherFiles = (suffixes: readonly string[]) => suffixes.filter((suffix) => suffix !== ".py").join(" ");

/** The line of the text that a refusal is about. */
function lineOf(error: unknown): number | null {
  const line = error instanceof ApiError ? error.problems[0]?.data?.line : null;
  return typeof line === "number" ? line : null;
}

/** What is known of a text before it is opened. */
function Told({ outline, refused, onShow }: { outline: Outline; refused: boolean; onShow: () => void }) {
  const t = useText().imports.code;
  const { classes = [], readable, reason, line = null } = outline;
  if (readable)
    return (
      <p className={styles.told} data-testid="import-readable">
        <ShieldCheck size={15} aria-hidden /> {t.readable}
      </p>
    );
  if (classes.length === 0)
    return (
      <AtLine line={line} onShow={onShow}>
        <Alert color="red" variant="light" icon={<CircleAlert size={18} aria-hidden />} title={t.wrong}>
          <Why line={line} reason={reason} />
        </Alert>
      </AtLine>
    );
  if (!refused)
    return (
      <p className={styles.told} data-testid="import-runs">
        <ShieldAlert size={15} aria-hidden /> {t.runs} (<Why line={line} reason={reason} />)
      </p>
    );
  return (
    <AtLine line={line} onShow={onShow}>
      <Alert
        color="yellow"
        variant="light"
        icon={<ShieldAlert size={18} aria-hidden />}
        title={t.off}
        data-testid="import-off"
      >
        <Text size="sm">
          <Why line={line} reason={reason} />
        </Text>
        <Text size="sm" mt={4}>
          {t.offHint} <Code>{t.offCommand}</Code>
        </Text>
      </Alert>
    </AtLine>
  );
}

/** Why it cannot be read. */
function Why({ line, reason = "" }: { line: number | null; reason: string | undefined }) {
  const t = useText().imports.code;
  return (
    <>
      {line !== null && `${t.line(line)}${t.colon}`}
      <Said>{reason}</Said>
    </>
  );
}

/** A message, and a way to the line that it is about. */
function AtLine({ line, onShow, children }: { line: number | null; onShow: () => void; children: ReactNode }) {
  const t = useText().imports.code;
  return (
    <div className={styles.atLine}>
      {children}
      {line !== null && (
        <Button size="compact-xs" variant="default" onClick={onShow} className={styles.toLine}>
          {t.toLine}
        </Button>
      )}
    </div>
  );
}
