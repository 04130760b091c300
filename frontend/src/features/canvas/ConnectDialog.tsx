import { Modal } from "@mantine/core";
import { portText } from "@/features/forms/conditions";
import { useText } from "@/i18n";
import { connect } from "@/model/connect";
import { OUTPUT, upstream } from "@/model/graph";
import { apply } from "@/model/store";
import type { FlowNode } from "./flow";
import { SearchList } from "./SearchList";
import { here } from "./selected";
import { useCanvas } from "./state";

const close = () => useCanvas.setState({ dialog: null });

/** Connects the selected node without a pointer: lists every port that may take what it gives. */
export function ConnectDialog({ nodes }: { nodes: readonly FlowNode[] }) {
  const t = useText().editor;
  const opened = useCanvas((state) => state.dialog === "connect");
  return (
    <Modal.Root opened={opened} onClose={close} size="md" data-testid="connect-dialog">
      <Modal.Overlay />
      <Modal.Content aria-label={t.commands.connectTo}>
        <Modal.Body p={0}>{opened && <Targets nodes={nodes} />}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Targets({ nodes }: { nodes: readonly FlowNode[] }) {
  const t = useText().editor;
  const { block, its, ids } = here();
  const source = nodes.find((node) => node.id === ids[0]);
  if (!source) return null;
  const refused = upstream(its.forward, source.id);
  const choices = source.data.outputs.flatMap((out) =>
    nodes.flatMap((target) =>
      refused.has(target.id)
        ? []
        : target.data.inputs.map((into) => {
            const name = target.data.kind === "output" ? t.node.output : target.data.member || target.data.label;
            const port = portText(into, target.data.inputs, t.conditions);
            const from = source.data.outputs.length > 1 ? `${out.name} → ` : "";
            return {
              id: `${out.name}-${target.id}-${into.name}`,
              label: `${from}${name}${into.name === OUTPUT ? "" : ` · ${port}`}`,
              hint: target.data.member ? target.data.label : "",
              run: () => {
                apply(
                  ({ editor: t }) => t.steps.connect,
                  (doc) => connect(doc, block, { id: source.id, path: out.path }, target.id, into.name, into.many),
                );
                close();
              },
            };
          }),
    ),
  );
  return (
    <SearchList
      label={t.commands.connectTo}
      placeholder={t.canvas.connectSearch}
      nothing={t.canvas.connectNothing}
      testId="connect-search"
      onClose={close}
      find={(query) => choices.filter((choice) => choice.label.toLowerCase().includes(query.trim().toLowerCase()))}
    />
  );
}
