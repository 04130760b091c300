import { Table } from "@mantine/core";
import { Rows3 } from "lucide-react";
import { AddLayerButton } from "@/features/canvas/AddLayerButton";
import { useText } from "@/i18n";
import { bytes, compactCount } from "@/lib/format";
import { nodeReport, resultText } from "@/model/report";
import { useDoc } from "@/model/store";
import { focusNode, placeIn, useView } from "@/model/view";
import { Empty } from "@/ui/States";
import { useCheck } from "./check";
import styles from "./Problems.module.css";

/** Every node of the block that is shown: what goes in, what comes out, what it costs. */
export function ShapesPanel() {
  const t = useText().editor.shapes;
  const doc = useDoc();
  const trail = useView((state) => state.trail);
  const { report, pending } = useCheck();
  const place = placeIn(trail, doc);
  const nodes = doc.blocks[place.block]?.forward.nodes ?? [];
  if (!report || nodes.length === 0)
    return (
      <Empty low icon={<Rows3 size={26} aria-hidden />} title={t.empty} actions={<AddLayerButton />}>
        {t.emptyHint}
      </Empty>
    );
  const { totals } = report;
  return (
    <div className={styles.shapes} data-pending={pending || undefined} data-testid="shapes">
      <Table stickyHeader verticalSpacing={4} horizontalSpacing="sm" className={styles.table}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.node}</Table.Th>
            <Table.Th>{t.inputs}</Table.Th>
            <Table.Th>{t.output}</Table.Th>
            <Table.Th className={styles.number}>{t.parameters}</Table.Th>
            <Table.Th className={styles.number}>{t.flops}</Table.Th>
            <Table.Th className={styles.number}>{t.memory}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {nodes.map((node) => {
            const found = nodeReport(report, place, node.id);
            return (
              <Table.Tr key={node.id}>
                <Table.Td>
                  <button type="button" className={styles.link} onClick={() => focusNode(node.id)}>
                    {node.target}
                  </button>
                </Table.Td>
                <Table.Td className={styles.shape}>
                  {Object.values(found?.inputs ?? {})
                    .map((result) => resultText(result, totals.batch))
                    .join(", ")}
                </Table.Td>
                <Table.Td className={styles.shape}>{resultText(found?.output, totals.batch) || "–"}</Table.Td>
                <Table.Td className={styles.number}>{found?.parameters.toLocaleString("en-US")}</Table.Td>
                <Table.Td className={styles.number}>{found && compactCount(found.flops)}</Table.Td>
                <Table.Td className={styles.number}>{found && bytes(found.activation_bytes)}</Table.Td>
              </Table.Tr>
            );
          })}
        </Table.Tbody>
        <Table.Tfoot>
          <Table.Tr>
            <Table.Th>{t.total}</Table.Th>
            <Table.Td className={styles.shape}>{t.batch(totals.batch)}</Table.Td>
            <Table.Td className={styles.shape}>{resultText(report.outputs, totals.batch)}</Table.Td>
            <Table.Td className={styles.number} data-testid="total-parameters">
              {totals.parameters.toLocaleString("en-US")}
            </Table.Td>
            <Table.Td className={styles.number}>{compactCount(totals.flops)}</Table.Td>
            <Table.Td className={styles.number}>{bytes(totals.activation_bytes)}</Table.Td>
          </Table.Tr>
        </Table.Tfoot>
      </Table>
    </div>
  );
}
