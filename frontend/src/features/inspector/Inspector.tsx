import { ActionIcon, Button, ScrollArea, Stack, Tooltip } from "@mantine/core";
import { PanelRightClose } from "lucide-react";
import { useMemo } from "react";
import { commands } from "@/features/canvas/commands";
import { isTextField } from "@/features/canvas/typing";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { inputName, nodeAt, OUTPUT } from "@/model/graph";
import { memberAt } from "@/model/members";
import { useDoc, useDocument } from "@/model/store";
import type { Block } from "@/model/types";
import { placeIn, useView } from "@/model/view";
import { DocumentInspector } from "./DocumentInspector";
import { FunctionInspector } from "./FunctionInspector";
import styles from "./Inspector.module.css";
import { MemberInspector } from "./MemberInspector";
import { Head, Section } from "./parts";
import { InputInspector, OutputInspector } from "./TerminalInspector";

/** The form of whatever is selected. */
export function Inspector({ onFold }: { onFold: () => void }) {
  const t = useText().editor;
  return (
    <section
      className={styles.inspector}
      aria-label={t.inspector.title}
      data-testid="inspector"
      onBlur={() => useDocument.getState().settle()}
      onKeyDown={finishByEnter}
    >
      <Tooltip label={t.inspector.fold}>
        <ActionIcon
          variant="subtle"
          color="gray"
          className={styles.fold}
          aria-label={t.inspector.fold}
          onClick={onFold}
        >
          <PanelRightClose size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <ScrollArea className={styles.scroll} type="hover" scrollbarSize={8}>
        <Selected />
      </ScrollArea>
    </section>
  );
}

/** Enter takes a field's text over as leaving it does: it then shows the document's value, and follows an undo. */
function finishByEnter(event: React.KeyboardEvent): void {
  const { target, nativeEvent } = event;
  if (event.key !== "Enter" || nativeEvent.isComposing || event.keyCode === 229) return;
  if (!(target instanceof HTMLInputElement) || !isTextField(target) || target.hasAttribute("aria-haspopup")) return;
  const { currentTarget } = event;
  target.blur();
  target.focus();
  // A renamed item of a box has another form, whose field takes the place of this one.
  queueMicrotask(() => {
    const { testid } = target.dataset;
    if (!target.isConnected && testid) currentTarget.querySelector<HTMLElement>(`[data-testid="${testid}"]`)?.focus();
  });
}

function Selected() {
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
