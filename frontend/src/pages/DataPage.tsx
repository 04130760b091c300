import { useQuery } from "@tanstack/react-query";
import { Database } from "lucide-react";
import { useSearchParams } from "wouter";
import { datasetsQuery } from "@/api/queries";
import { DatasetDetail } from "@/features/data/DatasetDetail";
import { DatasetList } from "@/features/data/DatasetList";
import { UploadDrop } from "@/features/data/UploadDrop";
import { useText } from "@/i18n/whole";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import { useTitle } from "@/ui/useTitle";
import styles from "./DataPage.module.css";

export function DataPage() {
  const t = useText().data;
  useTitle(t.title);
  const { data, error, refetch } = useQuery(datasetsQuery);
  const [search, setSearch] = useSearchParams();
  const chosen = search.get("set") ?? data?.[0]?.name;
  const entry = data?.find((one) => one.name === chosen);
  return (
    <div className={styles.page}>
      <aside className={styles.side}>
        <UploadDrop onUploaded={(name) => setSearch({ set: name })} />
        {error && <ErrorNotice error={error} retry={refetch} />}
        {data ? <DatasetList entries={data} chosen={chosen} /> : !error && <ListSkeleton rows={8} height={44} />}
      </aside>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section className={styles.content} tabIndex={0} aria-label={entry?.label ?? t.title}>
        {entry ? (
          <DatasetDetail key={entry.name} entry={entry} onRemoved={() => setSearch({})} />
        ) : data ? (
          <Empty icon={<Database size={26} aria-hidden />} title={t.pick}>
            {t.pickHint}
          </Empty>
        ) : (
          !error && <ListSkeleton rows={4} height={120} />
        )}
      </section>
    </div>
  );
}
