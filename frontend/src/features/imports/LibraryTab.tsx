import { Button, SegmentedControl, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { importSourcesQuery } from "@/api/imports";
import type { LibraryNetwork } from "@/api/types";
import { RoamingField } from "@/features/project/RoamingField";
import { useRoaming } from "@/features/project/useRoaming";
import { useText } from "@/i18n";
import { compactCount } from "@/lib/format";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import styles from "./Imports.module.css";
import { families, found, requestOf, shapesOf, TASKS, type Task } from "./libraries";
import { Progress } from "./Progress";
import { type Import, useImport } from "./useImport";

const NAME = /^[a-z][a-z0-9_]*$/;

/** torchvision's networks by name. Arrow keys go from the field to the list and in it; Enter opens. */
export function LibraryTab({ onClose }: { onClose: () => void }) {
  const t = useText().imports.library;
  const { data, error, isPending, refetch } = useQuery(importSourcesQuery);
  const opening = useImport(onClose);
  const { query, clear, list, field, fromCard } = useRoaming("[data-library]", () => fitting[0] && open(fitting[0]));
  const [task, setTask] = useState<Task | null>(null);
  const networks = data?.networks ?? [];
  const fitting = found(networks, query, task);
  const open = (network: Parameters<typeof requestOf>[0]) =>
    opening.start({ source: { kind: "request", body: requestOf(network) }, name: network.name, quiet: true });
  const showAll = () => {
    clear();
    setTask(null);
    field.ref.current?.focus();
  };
  const nothing = data !== undefined && fitting.length === 0;
  const typed = query.trim().toLowerCase();
  return (
    <div className={styles.library}>
      <RoamingField field={field} label={t.search} />
      <div className={styles.filters}>
        <SegmentedControl
          size="xs"
          aria-label={t.task}
          value={task ?? "all"}
          onChange={(value) => setTask(TASKS.find((one) => one === value) ?? null)}
          data={[{ value: "all", label: t.tasks.all }, ...TASKS.map((value) => ({ value, label: t.tasks[value] }))]}
        />
        <Text size="xs" c="dimmed" role="status">
          {data && t.found(fitting.length)}
        </Text>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the rows inside are buttons; this hears their arrow keys */}
      <div ref={list} className={styles.list} onKeyDown={fromCard} data-testid="library">
        {error && <ErrorNotice error={error} retry={() => void refetch()} />}
        {isPending && <ListSkeleton rows={8} height={34} />}
        {families(fitting).map(([family, members]) => (
          <section key={family} aria-label={family}>
            <h3 className={styles.family}>{family}</h3>
            {members.map((network) => (
              <Row key={network.name} network={network} onOpen={() => open(network)} busy={opening.pending !== null} />
            ))}
          </section>
        ))}
        {nothing && (
          <Empty
            low
            title={networks.length === 0 ? t.none : query.trim() ? t.nothing(query) : t.noneOfTask}
            actions={networks.length > 0 && <ShowAll onClick={showAll} />}
          >
            {networks.length === 0 ? t.noneHint : NAME.test(typed) && t.tryHint}
          </Empty>
        )}
        {nothing && NAME.test(typed) && (
          <Button
            variant="default"
            onClick={() => open({ name: typed, part: "", inputs: [], kept: true })}
            className={styles.try}
          >
            {t.tryName(typed)}
          </Button>
        )}
      </div>
      <Below opening={opening} />
    </div>
  );
}

function ShowAll({ onClick }: { onClick: () => void }) {
  const t = useText().imports.library;
  return (
    <Button size="compact-sm" variant="light" onClick={onClick}>
      {t.showAll}
    </Button>
  );
}

function Below({ opening }: { opening: Import }) {
  const t = useText().imports.library;
  if (opening.pending !== null) return <Progress name={opening.pending} onCancel={opening.cancel} />;
  if (opening.error) return <ErrorNotice error={opening.error} />;
  return (
    <Text size="xs" c="dimmed">
      {t.untrained}
    </Text>
  );
}

function Row({ network, onOpen, busy }: { network: LibraryNetwork; onOpen: () => void; busy: boolean }) {
  const t = useText().imports.library;
  return (
    <UnstyledButton className={styles.row} data-library={network.name} onClick={onOpen} disabled={busy}>
      <span className={styles.name}>{network.name}</span>
      <span className={styles.part} title={network.part && t.partHint}>
        {[network.part && t.part(network.part), !network.kept && t.made].filter(Boolean).join(" · ")}
      </span>
      <span className={styles.shapes}>{shapesOf(network)}</span>
      <span className={styles.count}>
        {network.parameters !== null && t.parameters(compactCount(network.parameters))}
      </span>
    </UnstyledButton>
  );
}
