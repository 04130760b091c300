import { Button, CopyButton, Table } from "@mantine/core";
import { Check, Copy } from "lucide-react";
import type { Run } from "@/api/types";
import { useText } from "@/i18n/whole";
import { flatten, leafText } from "@/lib/flatten";
import styles from "./ConfigPanel.module.css";
import { OriginPanel } from "./OriginPanel";

/** Everything that the run was started with. */
export function ConfigPanel({ run }: { run: Run }) {
  const t = useText();
  const { plan, document, adjusted } = run;
  const layers = Object.entries(document.blocks).map(
    ([name, block]) => [name, t.runs.config.block(block.members.length, block.forward.nodes.length)] as const,
  );
  return (
    <div className={styles.panel}>
      <section>
        <div className={styles.head}>
          <h2>{t.runs.config.plan}</h2>
          <CopyButton value={JSON.stringify({ plan, document }, null, 2)}>
            {({ copied, copy }) => (
              <Button
                size="compact-sm"
                variant="default"
                onClick={copy}
                leftSection={copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
              >
                {copied ? t.common.actions.copied : t.runs.config.copy}
              </Button>
            )}
          </CopyButton>
        </div>
        <Settings rows={flatten(plan).filter(([, value]) => value !== null)} />
      </section>
      <OriginPanel run={run} />
      {adjusted.length > 0 && <Changes adjusted={adjusted} />}
      <section>
        <div className={styles.head}>
          <h2>{t.runs.config.network}</h2>
        </div>
        <Settings
          rows={[
            ["main", document.main],
            ...flatten(document.inputs)
              .filter(([, value]) => value !== null)
              .map(([path, value]) => [`inputs.${path}`, value] as const),
            ...layers.map(([name, value]) => [`blocks.${name}`, value] as const),
          ]}
        />
      </section>
    </div>
  );
}

/** What was changed while the run trained, each with the step after which it counted. */
function Changes({ adjusted }: { adjusted: Run["adjusted"] }) {
  const t = useText().runs;
  const told = (one: Run["adjusted"][number], before: Run["adjusted"][number] | undefined) => {
    const former = new Map(flatten({ ...before?.adjustment, number: null }));
    // What holds nothing says nothing, unless it held something before.
    return flatten({ ...one.adjustment, number: null }).filter(
      ([path, value]) => value !== null && leafText(value) !== leafText(former.get(path) ?? {}),
    );
  };
  return (
    <section>
      <div className={styles.head}>
        <h2>{t.commands.changed}</h2>
      </div>
      <Table className={styles.table} verticalSpacing={5} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.commands.since}</Table.Th>
            <Table.Th>{t.config.setting}</Table.Th>
            <Table.Th>{t.config.value}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {adjusted.flatMap((one, index) =>
            told(one, adjusted[index - 1]).map(([path, value]) => (
              <Table.Tr key={`${one.adjustment.number} ${path}`}>
                <Table.Td>{t.commands.changedAt(one.step)}</Table.Td>
                <Table.Td className={styles.path}>{path}</Table.Td>
                <Table.Td className={styles.value}>{leafText(value)}</Table.Td>
              </Table.Tr>
            )),
          )}
        </Table.Tbody>
      </Table>
    </section>
  );
}

function Settings({ rows }: { rows: (readonly [string, unknown])[] }) {
  const t = useText().runs.config;
  return (
    <Table className={styles.table} verticalSpacing={5} highlightOnHover>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>{t.setting}</Table.Th>
          <Table.Th>{t.value}</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(([path, value]) => (
          <Table.Tr key={path}>
            <Table.Td className={styles.path}>{path}</Table.Td>
            <Table.Td className={styles.value}>{leafText(value)}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
