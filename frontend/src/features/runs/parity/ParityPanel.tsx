import { Alert, Button, Loader } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, Dices, Scale } from "lucide-react";
import { useState } from "react";
import { api, unwrap } from "@/api/client";
import { parityQuery } from "@/api/queries";
import type { Parity } from "@/api/types";
import { NumberField } from "@/features/forms";
import { useText } from "@/i18n/whole";
import { Said } from "@/ui/Said";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import { useErrorToast } from "@/ui/Toasts";
import { ParityChart } from "./ParityChart";
import styles from "./ParityPanel.module.css";
import { ParityTable } from "./ParityTable";

/** The same plan in fp32, in bf16 and on several devices: how far the losses lie apart. */
export function ParityPanel({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(parityQuery(id));
  if (data === undefined) return error ? <ErrorNotice error={error} retry={refetch} /> : <ListSkeleton />;
  return (
    <section className={styles.panel}>
      <Ask id={id} report={data} />
      <Told report={data} />
    </section>
  );
}

function Ask({ id, report }: { id: string; report: Parity }) {
  const t = useText().runs.parity;
  const client = useQueryClient();
  const tell = useErrorToast();
  const [steps, setSteps] = useState(100);
  const [devices, setDevices] = useState(2);
  const ask = useMutation({
    mutationFn: () =>
      unwrap(api.POST("/api/runs/{run_id}/parity", { params: { path: { run_id: id } }, body: { steps, devices } })),
    onSuccess: (asked) => client.setQueryData(parityQuery(id).queryKey, asked),
    onError: tell,
  });
  const busy = report.state === "waiting" || report.state === "running";
  return (
    <header className={styles.head}>
      <div className={styles.what}>
        <h2>{t.title}</h2>
        <p>{t.means}</p>
      </div>
      <div className={styles.ask}>
        <NumberField
          label={t.steps}
          whole
          minimum={10}
          maximum={1000}
          step={10}
          required
          value={steps}
          onChange={(value) => value !== null && setSteps(value)}
        />
        <NumberField
          label={t.devices}
          whole
          minimum={2}
          maximum={64}
          required
          value={devices}
          onChange={(value) => value !== null && setDevices(value)}
        />
        <Button
          leftSection={busy ? <Loader size={14} /> : <Scale size={15} aria-hidden />}
          disabled={busy}
          loading={ask.isPending}
          onClick={() => ask.mutate()}
        >
          {busy ? t[report.state as "waiting" | "running"] : report.state === "none" ? t.make : t.again}
        </Button>
      </div>
    </header>
  );
}

function Told({ report }: { report: Parity }) {
  const t = useText().runs.parity;
  if (report.state === "none") return null;
  return (
    <>
      {report.state === "failed" && (
        <Alert color="red" variant="light" icon={<CircleAlert size={18} aria-hidden />} title={t.failed}>
          <Said>{report.message}</Said>
        </Alert>
      )}
      {report.random && (
        <Alert color="gray" variant="light" icon={<Dices size={18} aria-hidden />}>
          {t.random}
        </Alert>
      )}
      {report.ways.length > 0 && (
        <>
          <ParityTable ways={report.ways} />
          <ParityChart ways={report.ways} />
          <p className={styles.scale}>{t.scale}</p>
        </>
      )}
    </>
  );
}
