import { Button, Tabs } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Activity, ChartLine, Layers, Package, Repeat2, Scale, ScrollText, Settings2, Workflow } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useParams, useSearchParams } from "wouter";
import { ApiError } from "@/api/errors";
import { runQuery } from "@/api/queries";
import type { Run } from "@/api/types";
import { DownloadMenu } from "@/features/download/DownloadMenu";
import { HelpDialog } from "@/features/help/HelpDialog";
import { ChartsPanel } from "@/features/runs/ChartsPanel";
import { CheckpointsPanel } from "@/features/runs/CheckpointsPanel";
import { ConfigPanel } from "@/features/runs/ConfigPanel";
import { Failure } from "@/features/runs/Failure";
import { LinkBanner } from "@/features/runs/LinkBanner";
import { LogPanel } from "@/features/runs/LogPanel";
import { LossNotice } from "@/features/runs/LossNotice";
import { LayersPanel } from "@/features/runs/layers/LayersPanel";
import { ParametersPanel } from "@/features/runs/ParametersPanel";
import { ParityPanel } from "@/features/runs/parity/ParityPanel";
import { RunHeader } from "@/features/runs/RunHeader";
import { UnknownRun } from "@/features/runs/UnknownRun";
import { TrainDialog } from "@/features/train";
import { useText } from "@/i18n/whole";
import { useRunFeed, useTopic } from "@/live/useRunFeed";
import { ErrorNotice, PageSkeleton } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import styles from "./RunPage.module.css";

/** Brings the drawing of graphs with it, which the other tabs do without. */
const GraphPanel = lazy(() => import("@/features/runs/graph/GraphPanel"));

const TABS = {
  charts: ChartLine,
  graph: Workflow,
  layers: Layers,
  parameters: Activity,
  log: ScrollText,
  config: Settings2,
  checkpoints: Package,
  parity: Scale,
};
type Tab = keyof typeof TABS;
const isTab = (name: string | null): name is Tab => name !== null && name in TABS;

/** One run, followed live; the same after a reload. */
export function RunPage() {
  const { id = "" } = useParams();
  const { data, error, refetch } = useQuery(runQuery(id));
  // What is here stays, when asking once more fails: the stream goes on by itself and says when it is cut off.
  if (data !== undefined) return <Followed run={data} />;
  if (error instanceof ApiError && error.status === 404) return <UnknownRun />;
  if (error) {
    return (
      <div className={styles.refused}>
        <ErrorNotice error={error} retry={refetch} />
      </div>
    );
  }
  return <PageSkeleton />;
}

function Followed({ run }: { run: Run }) {
  const t = useText().runs;
  const feed = useRunFeed(run.id);
  const client = useQueryClient();
  const changes = useTopic(feed, "state");
  const [search, setSearch] = useSearchParams();
  const wanted = search.get("tab");
  const tab: Tab = isTab(wanted) ? wanted : "charts";
  useTitle(run.name);
  // The stream tells that the state changed; the run itself also says what is wished and what came out.
  useEffect(() => {
    if (changes > 0) void client.invalidateQueries({ queryKey: runQuery(run.id).queryKey, exact: true });
  }, [changes, client, run.id]);
  return (
    <div className={styles.page}>
      <div>
        <RunHeader run={run} feed={feed}>
          <TrainAgain run={run} />
          <DownloadMenu run={run} feed={feed} />
        </RunHeader>
        <LinkBanner feed={feed} />
      </div>
      <Tabs
        value={tab}
        onChange={(next) => setSearch(next === "charts" ? {} : { tab: next ?? "charts" }, { replace: true })}
        className={styles.tabs}
        keepMounted={false}
      >
        <Tabs.List className={styles.list}>
          {(Object.keys(TABS) as Tab[]).map((name) => {
            const Icon = TABS[name];
            return (
              <Tabs.Tab key={name} value={name} leftSection={<Icon size={15} aria-hidden />}>
                {t.tabs[name]}
              </Tabs.Tab>
            );
          })}
        </Tabs.List>
        <div className={styles.content}>
          <Failure run={run} feed={feed} />
          <LossNotice run={run} />
          <Tabs.Panel value="charts">
            <ChartsPanel feed={feed} />
          </Tabs.Panel>
          <Tabs.Panel value="graph" className={styles.full}>
            <Suspense fallback={<PageSkeleton />}>
              <GraphPanel document={run.document} feed={feed} />
            </Suspense>
          </Tabs.Panel>
          <Tabs.Panel value="layers" className={styles.full}>
            <LayersPanel feed={feed} />
          </Tabs.Panel>
          <Tabs.Panel value="parameters" className={styles.full}>
            <ParametersPanel feed={feed} />
          </Tabs.Panel>
          <Tabs.Panel value="log" className={styles.full}>
            <LogPanel feed={feed} />
          </Tabs.Panel>
          <Tabs.Panel value="config">
            <ConfigPanel run={run} />
          </Tabs.Panel>
          <Tabs.Panel value="checkpoints">
            <CheckpointsPanel run={run} feed={feed} />
          </Tabs.Panel>
          <Tabs.Panel value="parity">
            <ParityPanel id={run.id} />
          </Tabs.Panel>
        </div>
      </Tabs>
      <HelpDialog />
    </div>
  );
}

/** The same network once more, with other data or another plan. */
function TrainAgain({ run }: { run: Run }) {
  const t = useText().runs.actions;
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button
        variant="default"
        size="xs"
        leftSection={<Repeat2 size={15} aria-hidden />}
        onClick={() => setOpened(true)}
      >
        {t.again}
      </Button>
      <TrainDialog document={run.document} plan={run.plan} opened={opened} onClose={() => setOpened(false)} />
    </>
  );
}
