import { Button, Group } from "@mantine/core";
import { Copy } from "lucide-react";
import type { Report } from "@/api/types";
import { commands } from "@/features/canvas/commands";
import { useText } from "@/i18n";
import { nodeReport, type Place, resultText } from "@/model/report";
import { callersOf } from "@/model/sharing";
import { useDoc } from "@/model/store";
import type { Block } from "@/model/types";
import { focusNode, hint } from "@/model/view";
import { Section } from "./parts";

const nothing = () => hint([]);

/** The nodes that call a member, where there are several: they share its weights. */
export function SharedFields({ place, path, report }: { place: Place; path: string; report: Report | null }) {
  const t = useText().editor;
  const ids = callersOf(useDoc().blocks[place.block] as Block, path);
  if (ids.length < 2) return null;
  return (
    <Section title={t.inspector.calledBy(ids.length)}>
      <Group gap={6} onMouseEnter={() => hint(ids)} onMouseLeave={nothing} data-testid="called-by">
        {ids.map((id, index) => (
          <Button
            key={id}
            size="compact-xs"
            variant="default"
            onMouseEnter={() => hint([id])}
            onMouseLeave={() => hint(ids)}
            onFocus={() => hint([id])}
            onBlur={nothing}
            onClick={() => {
              nothing();
              focusNode(id);
            }}
          >
            {`${index + 1}. ${resultText(nodeReport(report, place, id)?.output, report?.totals.batch ?? 0) || id}`}
          </Button>
        ))}
      </Group>
      <DetachButton label={t.inspector.ownWeights} />
    </Section>
  );
}

/** Gives the selection something of its own: the weights of a node, or the class of an instance. */
export function DetachButton({ label }: { label: string }) {
  const t = useText().editor;
  const command = commands(t).find((it) => it.id === "detach");
  if (!command?.enabled()) return null;
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<Copy size={14} aria-hidden />}
      onClick={() => void command.run()}
      data-testid="detach"
    >
      {label}
    </Button>
  );
}
