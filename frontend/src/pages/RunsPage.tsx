import { Button, CloseButton, Group, Text, TextInput, Title, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { RowSelectionState } from "@tanstack/react-table";
import { ChartLine, GitCompareArrows, Search, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { runsQuery } from "@/api/queries";
import type { RunSummary } from "@/api/types";
import { ColumnsMenu } from "@/features/runs/ColumnsMenu";
import { DeleteDialog } from "@/features/runs/DeleteDialog";
import { RunsTable } from "@/features/runs/RunsTable";
import { isActive } from "@/features/runs/StateBadge";
import { matches } from "@/features/runs/table";
import { useText } from "@/i18n/whole";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import styles from "./RunsPage.module.css";

/** While something trains, its row is kept fresh. */
const REFRESH_MS = 2_000;

export function RunsPage() {
  const t = useText();
  useTitle(t.runs.title);
  const { data, error, refetch } = useQuery({
    ...runsQuery,
    refetchInterval: ({ state }) => (state.data?.items.some((run) => isActive(run.state)) ? REFRESH_MS : false),
  });
  return (
    <div className={styles.page} data-search>
      {error && <ErrorNotice error={error} retry={refetch} />}
      {!data && !error && <ListSkeleton rows={8} height={40} />}
      {data?.items.length === 0 && (
        <Empty
          icon={<ChartLine size={26} aria-hidden />}
          title={t.runs.empty.title}
          actions={
            <Button component={Link} to="/">
              {t.runs.empty.action}
            </Button>
          }
        >
          {t.runs.empty.body}
        </Empty>
      )}
      {data && data.items.length > 0 && <Overview runs={data.items} />}
    </div>
  );
}

function Overview({ runs }: { runs: RunSummary[] }) {
  const texts = useText();
  const t = texts.runs;
  const [, navigate] = useLocation();
  const [filter, setFilter] = useState("");
  const [selection, setSelection] = useState<RowSelectionState>({});
  const [doomed, setDoomed] = useState<RunSummary[]>([]);
  // A run that is gone is no longer selected.
  const selected = runs.filter((run) => selection[run.id]);
  // What is out of sight is compared, but never deleted.
  const shown = selected.filter((run) => matches(run, texts, filter));
  const forget = (ids: string[]) =>
    setSelection((before) => Object.fromEntries(Object.entries(before).filter(([id]) => !ids.includes(id))));
  return (
    <>
      <div className={styles.bar}>
        <Title order={1} size="h3">
          {t.title}
        </Title>
        <Text c="dimmed" size="sm">
          {selected.length > 0
            ? t.selected(selected.length, selected.length - shown.length)
            : t.count(runs.length, runs.length)}
        </Text>
        <TextInput
          className={styles.filter}
          size="sm"
          placeholder={t.filter}
          aria-label={t.filter}
          leftSection={<Search size={15} aria-hidden />}
          rightSection={filter && <CloseButton size="sm" aria-label={t.clearFilter} onClick={() => setFilter("")} />}
          value={filter}
          onChange={(event) => setFilter(event.currentTarget.value)}
        />
        <Group gap={8} wrap="nowrap">
          <ColumnsMenu />
          {shown.length > 0 && (
            <Button
              variant="default"
              size="sm"
              leftSection={<Trash2 size={15} aria-hidden />}
              disabled={shown.some((run) => isActive(run.state))}
              onClick={() => setDoomed(shown)}
            >
              {t.remove}
            </Button>
          )}
          <Tooltip label={t.compareHint} disabled={selected.length > 1}>
            <span>
              <Button
                size="sm"
                leftSection={<GitCompareArrows size={15} aria-hidden />}
                disabled={selected.length < 2}
                onClick={() => navigate(`/compare?ids=${selected.map((run) => run.id).join(",")}`)}
              >
                {t.compare(selected.length)}
              </Button>
            </span>
          </Tooltip>
        </Group>
      </div>
      <RunsTable
        runs={runs}
        filter={filter}
        selected={selection}
        onSelect={setSelection}
        onDelete={(run) => setDoomed([run])}
        onClear={() => setFilter("")}
      />
      <DeleteDialog runs={doomed} onClose={() => setDoomed([])} onDeleted={forget} />
    </>
  );
}
