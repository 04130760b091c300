import { Button, CopyButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Check, Copy, Download, FileCode2, FileOutput } from "lucide-react";
import { lazy, Suspense } from "react";
import { api, unwrap } from "@/api/client";
import { ApiError } from "@/api/errors";
import { useCanvas } from "@/features/canvas/state";
import { checkAgain, useCheck } from "@/features/problems/check";
import { ToProblems } from "@/features/problems/ToProblems";
import { useText } from "@/i18n";
import { semantic } from "@/model/edit";
import { useDoc } from "@/model/store";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { fileName, saveText } from "@/ui/save";
import styles from "./CodePanel.module.css";

const PythonView = lazy(async () => ({ default: (await import("./PythonView")).PythonView }));

/** The Python file that this document means: the code that trains, and that a person takes home. */
export function CodePanel() {
  const { editor: t, common } = useText();
  const doc = useDoc();
  const pending = useCheck((state) => state.pending);
  const failure = useCheck((state) => state.error);
  const ok = useCheck((state) => state.report?.ok ?? false);
  const { data, error, isPending, isFetching, isPlaceholderData, refetch } = useQuery({
    queryKey: ["python", semantic(doc)],
    queryFn: ({ signal }) => unwrap(api.POST("/api/graphs/python", { body: doc, signal })),
    // Asked for when the check has settled, so that typing sends one request and not ten.
    enabled: !pending,
    placeholderData: (before) => before,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
  if (error instanceof ApiError && error.status === 422 && !ok)
    return (
      <Empty low icon={<FileCode2 size={26} aria-hidden />} title={t.code.broken} actions={<ToProblems />}>
        {t.code.brokenHint}
      </Empty>
    );
  if (error) return <ErrorNotice error={error} retry={() => void refetch()} />;
  if (!data && failure !== null) return <ErrorNotice error={failure} retry={checkAgain} />;
  if (isPending && !data) return <ListSkeleton rows={6} height={16} />;
  const source = data?.source ?? "";
  // Code of an earlier state is still worth reading, but not worth taking home under the present name.
  const stale = pending || isFetching || isPlaceholderData;
  return (
    <div className={styles.panel} data-stale={stale || undefined}>
      <div className={styles.actions}>
        <CopyButton value={source}>
          {({ copied, copy }) => (
            <Button
              size="compact-xs"
              variant="default"
              onClick={copy}
              disabled={stale}
              leftSection={copied ? <Check size={13} aria-hidden /> : <Copy size={13} aria-hidden />}
            >
              {copied ? common.actions.copied : common.actions.copy}
            </Button>
          )}
        </CopyButton>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Download size={13} aria-hidden />}
          disabled={stale}
          onClick={() => saveText(source, `${fileName(doc.name || doc.main)}.py`, "text/x-python")}
        >
          {common.actions.download}
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<FileOutput size={13} aria-hidden />}
          onClick={() => useCanvas.setState({ dialog: "export" })}
        >
          {t.code.formats}
        </Button>
      </div>
      <Suspense fallback={<ListSkeleton rows={6} height={16} />}>
        <PythonView source={source} label={t.code.label} />
      </Suspense>
    </div>
  );
}
