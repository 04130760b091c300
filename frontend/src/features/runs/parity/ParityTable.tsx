import { Badge, Table } from "@mantine/core";
import type { ParityWay } from "@/api/types";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import { Said } from "@/ui/Said";
import styles from "./ParityPanel.module.css";
import { Swatch } from "./Swatch";

/** 0.12% of the mean loss; very small ones as a power of ten, in percent as well. */
export function share(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const percent = 100 * value;
  return `${value === 0 || percent >= 1e-4 ? Number(percent.toPrecision(2)) : percent.toExponential(1)}%`;
}

/** A row for each way of training. */
export function ParityTable({ ways }: { ways: readonly ParityWay[] }) {
  const t = useText().runs.parity;
  return (
    <Table.ScrollContainer minWidth={620}>
      <Table className={styles.table} verticalSpacing={7}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t.way}</Table.Th>
            <Table.Th>{t.perStep}</Table.Th>
            <Table.Th>{t.largest}</Table.Th>
            <Table.Th>{t.final}</Table.Th>
            <Table.Th>{t.bound}</Table.Th>
            <Table.Th>{t.verdict}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {ways.map((way, index) => (
            <Table.Tr key={way.name}>
              <Table.Td>
                <Swatch index={index} /> {wayTitle(way, t)}
              </Table.Td>
              {way.message ? (
                <Table.Td colSpan={5} className={styles.message}>
                  <Said>{way.message}</Said>
                </Table.Td>
              ) : (
                <Figures way={way} reference={index === 0} />
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

export const wayTitle = (way: ParityWay, t: ReturnType<typeof useText>["runs"]["parity"]) =>
  way.name === "devices" ? t.ways.devices(way.devices) : t.ways[way.name];

function Figures({ way, reference }: { way: ParityWay; reference: boolean }) {
  const t = useText().runs.parity;
  return (
    <>
      <Table.Td>{way.seconds ? `${shortNumber(1000 * way.seconds)} ms` : "–"}</Table.Td>
      <Table.Td data-judged={way.judged === "largest" || undefined}>{share(way.largest)}</Table.Td>
      <Table.Td data-judged={way.judged === "final" || undefined}>{share(way.final)}</Table.Td>
      <Table.Td>{way.judged && `≤ ${share(way.bound)} ${t.boundOf[way.judged]}`}</Table.Td>
      <Table.Td>
        {reference ? (
          <span className={styles.dim}>{t.reference}</span>
        ) : (
          way.holds !== null &&
          way.holds !== undefined && (
            <Badge color={way.holds ? "green" : "red"} variant="light">
              {way.holds ? t.holds : t.breaks}
            </Badge>
          )
        )}
      </Table.Td>
    </>
  );
}
