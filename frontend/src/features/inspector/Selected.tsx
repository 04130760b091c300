import { Button, Stack } from "@mantine/core";
import { useMemo } from "react";
import { commands } from "@/features/canvas/commands";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { inputName, nodeAt, OUTPUT } from "@/model/graph";
import { memberAt } from "@/model/members";
import { useDoc } from "@/model/store";
import type { Block } from "@/model/types";
import { placeIn, useView } from "@/model/view";
import { DocumentInspector } from "./DocumentInspector";
import { FunctionInspector } from "./FunctionInspector";
import { MemberInspector } from "./MemberInspector";
import { Head, Section } from "./parts";
import { InputInspector, OutputInspector } from "./TerminalInspector";

/** The form of what is selected, or of the network. */
export function Selected() {
  const doc = useDoc();
  const trail = useView((state) => state.trail);
  const selection = useView((state) => state.selection);
  const item = useView((state) => state.item);
  const report = useCheck((state) => state.report);
  const place = useMemo(() => placeIn(trail, doc), [trail, doc]);
  const block = doc.blocks[place.block] as Block;
  const ids = [...selection];
  const [id] = ids;

  if (item && memberAt(block, item))
    return <MemberInspector key={item} place={place} path={item} node={null} report={report} />;
  if (ids.length > 1) return <Several count={ids.length} />;
  if (id === OUTPUT) return <OutputInspector place={place} report={report} />;
  const input = id ? inputName(id) : null;
  if (input && block.forward.inputs.some((it) => it.name === input))
    return <InputInspector key={input} place={place} name={input} report={report} />;
  const node = id ? nodeAt(block.forward, id) : undefined;
  if (node?.op === "function") return <FunctionInspector key={node.id} place={place} node={node} report={report} />;
  if (node) return <MemberInspector key={node.id} place={place} path={node.target} node={node} report={report} />;
  return <DocumentInspector place={place} report={report} />;
}

/** What can be done with several nodes at once. */
function Several({ count }: { count: number }) {
  const t = useText().editor;
  useDoc();
  const shown = ["group", "groupSequential", "groupList", "groupDict", "groupBlock", "duplicate", "delete"];
  return (
    <>
      <Head title={t.inspector.several(count)} />
      <Section>
        <Stack gap={6}>
          {commands(t)
            .filter((command) => shown.includes(command.id))
            .map((command) => (
              <Button
                key={command.id}
                size="xs"
                variant="default"
                justify="flex-start"
                disabled={!command.enabled()}
                data-command={command.id}
                onClick={() => void command.run()}
              >
                {t.commands[command.id]}
              </Button>
            ))}
        </Stack>
      </Section>
    </>
  );
}
