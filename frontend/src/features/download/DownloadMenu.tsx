import { Button, Menu } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import {
  ChevronDown,
  Download,
  FileCode2,
  FileJson,
  FileOutput,
  FileSpreadsheet,
  LoaderCircle,
  Package,
  RotateCw,
  Scaling,
  WholeWord,
} from "lucide-react";
import { formatsQuery } from "@/api/exports";
import type { ExportFormat, Run } from "@/api/types";
import { stateOf } from "@/features/runs/replay";
import { isEnded } from "@/features/runs/StateBadge";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { saveJson, saveText } from "@/ui/save";
import { exportAddress, metricsAddress, vocabularyAddress } from "./addresses";
import styles from "./DownloadMenu.module.css";
import { ExportRunDialog } from "./ExportDialog";

/** Everything that can be taken away from a run. */
export function DownloadMenu({ run, feed }: { run: Run; feed: RunFeed }) {
  const { id, name, plan, document, scaling, vocabulary, preparation } = run;
  const t = useText().runs.download;
  useTopic(feed, "checkpoints");
  useTopic(feed, "state");
  const { data: formats = [], isPending, isError, refetch } = useQuery(formatsQuery);
  const [exporting, dialog] = useDisclosure();
  const saved = feed.view.checkpoints.length > 0;
  const best = feed.view.checkpoints.some((checkpoint) => checkpoint.best);
  const choices = best ? ["best", "last"] : ["last"];
  const of = (kind: ExportFormat["kind"]) => formats.filter((format) => format.kind === kind);
  return (
    <>
      <Menu position="bottom-end" shadow="md" width={290}>
        <Menu.Target>
          <Button
            size="xs"
            leftSection={<Download size={15} aria-hidden />}
            rightSection={<ChevronDown size={14} aria-hidden />}
          >
            {t.title}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t.weights}</Menu.Label>
          {saved && isPending && (
            <Menu.Item disabled className={styles.none} leftSection={<LoaderCircle size={15} aria-hidden />}>
              {t.listing}
            </Menu.Item>
          )}
          {saved && isError && (
            <Menu.Item
              closeMenuOnClick={false}
              leftSection={<RotateCw size={15} aria-hidden />}
              onClick={() => void refetch()}
            >
              {t.unlisted}
            </Menu.Item>
          )}
          {saved &&
            choices.flatMap((which) =>
              of("weights").map((format) => (
                <Item
                  key={`${which} ${format.name}`}
                  href={exportAddress(id, format.name, which)}
                  icon={<Package size={15} aria-hidden />}
                  label={`${which === "best" ? t.best : t.last} (${format.suffix})`}
                />
              )),
            )}
          {saved && formats.some(({ kind }) => kind === "program" || kind === "quantized") && (
            <Menu.Item leftSection={<FileOutput size={15} aria-hidden />} onClick={dialog.open} data-testid="export">
              {t.other}
            </Menu.Item>
          )}
          {!saved && (
            <Menu.Item disabled className={styles.none} leftSection={<Package size={15} aria-hidden />}>
              {isEnded(stateOf(run, feed.view)) ? t.none : t.waiting}
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Label>{t.files}</Menu.Label>
          {of("source").map((format) => (
            <Item
              key={format.name}
              href={exportAddress(id, format.name)}
              icon={<FileCode2 size={15} aria-hidden />}
              label={t.source(format.label, format.suffix)}
            />
          ))}
          <Item href={metricsAddress(id)} icon={<FileSpreadsheet size={15} aria-hidden />} label={t.metrics} />
          <Menu.Item
            leftSection={<FileJson size={15} aria-hidden />}
            onClick={() => saveJson({ name, plan, document }, `${name}.json`)}
          >
            {t.config}
          </Menu.Item>
          {scaling && (
            <Menu.Item
              leftSection={<Scaling size={15} aria-hidden />}
              onClick={() => saveJson(scaling, `${name}-scaling.json`)}
            >
              {t.scaling}
            </Menu.Item>
          )}
          {vocabulary && (
            <Item href={vocabularyAddress(id)} icon={<WholeWord size={15} aria-hidden />} label={t.vocabulary} />
          )}
          {preparation && (
            <Menu.Item
              leftSection={<FileCode2 size={15} aria-hidden />}
              onClick={() => saveText(preparation.code, `${name}-prepare.py`, "text/x-python")}
            >
              {t.preparation}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      <ExportRunDialog id={id} choices={choices} opened={exporting} onClose={dialog.close} />
    </>
  );
}

function Item({ href, icon, label }: { href: string; icon: React.ReactNode; label: string }) {
  return (
    <Menu.Item component="a" href={href} download leftSection={icon}>
      {label}
    </Menu.Item>
  );
}
