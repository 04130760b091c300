import { Button, Menu } from "@mantine/core";
import { ChevronDown, Download, FileCode2, FileJson, FileSpreadsheet, Package, Scaling } from "lucide-react";
import type { Run } from "@/api/types";
import { stateOf } from "@/features/runs/replay";
import { isEnded } from "@/features/runs/StateBadge";
import { useText } from "@/i18n";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { metricsAddress, sourceAddress, type WeightFormat, weightsAddress } from "./addresses";
import styles from "./DownloadMenu.module.css";
import { saveJson } from "./saveJson";

/** Everything that can be taken away from a run. */
export function DownloadMenu({ run, feed }: { run: Run; feed: RunFeed }) {
  const { id, name, plan, document, scaling } = run;
  const t = useText().runs.download;
  useTopic(feed, "checkpoints");
  useTopic(feed, "state");
  const saved = feed.view.checkpoints.length > 0;
  const best = feed.view.checkpoints.some((checkpoint) => checkpoint.best);
  return (
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
        {saved ? (
          <>
            {best && <Weights id={id} which="best" label={t.best} />}
            <Weights id={id} which="last" label={t.last} />
          </>
        ) : (
          <Menu.Item disabled className={styles.none} leftSection={<Package size={15} aria-hidden />}>
            {isEnded(stateOf(run, feed.view)) ? t.none : t.waiting}
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>{t.files}</Menu.Label>
        <Item href={sourceAddress(id)} icon={<FileCode2 size={15} aria-hidden />} label={t.python} />
        <Item href={metricsAddress(id)} icon={<FileSpreadsheet size={15} aria-hidden />} label={t.metrics} />
        <Menu.Item
          leftSection={<FileJson size={15} aria-hidden />}
          onClick={() => saveJson(`${name}.json`, { name, plan, document })}
        >
          {t.config}
        </Menu.Item>
        {scaling && (
          <Menu.Item
            leftSection={<Scaling size={15} aria-hidden />}
            onClick={() => saveJson(`${name}-scaling.json`, scaling)}
          >
            {t.scaling}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

const FORMATS: WeightFormat[] = ["pt", "safetensors"];

function Weights({ id, which, label }: { id: string; which: "last" | "best"; label: string }) {
  return FORMATS.map((format) => (
    <Item
      key={format}
      href={weightsAddress(id, which, format)}
      icon={<Package size={15} aria-hidden />}
      label={`${label} (.${format})`}
    />
  ));
}

function Item({ href, icon, label }: { href: string; icon: React.ReactNode; label: string }) {
  return (
    <Menu.Item component="a" href={href} download leftSection={icon}>
      {label}
    </Menu.Item>
  );
}
