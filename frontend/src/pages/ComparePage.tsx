import { Button, Title } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { ArrowLeft, GitCompareArrows } from "lucide-react";
import { Link, useSearchParams } from "wouter";
import { runQuery } from "@/api/queries";
import type { Run } from "@/api/types";
import { CompareBoard } from "@/features/compare/CompareBoard";
import { Differences } from "@/features/compare/Differences";
import { Results } from "@/features/compare/Results";
import { useText } from "@/i18n/whole";
import { Empty, ErrorNotice, PageSkeleton } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import styles from "./ComparePage.module.css";

/** More curves than colours that can be told apart help nobody. */
const MOST = 8;

export function ComparePage() {
  const t = useText().runs;
  useTitle(t.compareTitle);
  const [search] = useSearchParams();
  const ids = [...new Set((search.get("ids") ?? "").split(",").filter(Boolean))].slice(0, MOST);
  const queries = useQueries({ queries: ids.map(runQuery) });
  const error = queries.find((query) => query.error && !query.data)?.error;
  const runs = queries.flatMap((query) => (query.data ? [query.data satisfies Run] : []));
  if (ids.length < 2) {
    return (
      <Empty icon={<GitCompareArrows size={26} aria-hidden />} title={t.compareNeed} actions={<Back />}>
        {t.compareNeedHint}
      </Empty>
    );
  }
  if (error) {
    return (
      <div className={styles.page}>
        <ErrorNotice error={error} />
        <div>
          <Back />
        </div>
      </div>
    );
  }
  if (runs.length < ids.length) return <PageSkeleton />;
  return (
    <div className={styles.page}>
      <div className={styles.bar}>
        <Title order={1} size="h3">
          {t.compareTitle}
        </Title>
        <Back />
      </div>
      <Results runs={runs} />
      <Differences runs={runs} />
      <CompareBoard runs={runs} />
    </div>
  );
}

function Back() {
  const t = useText().runs;
  return (
    <Button component={Link} to="/runs" variant="default" size="xs" leftSection={<ArrowLeft size={14} aria-hidden />}>
      {t.compareBack}
    </Button>
  );
}
