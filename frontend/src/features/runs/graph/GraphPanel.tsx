import "@xyflow/react/dist/style.css";
import { SegmentedControl, Text } from "@mantine/core";
import { ReactFlow, ReactFlowProvider } from "@xyflow/react";
import { Workflow } from "lucide-react";
import { useMemo, useState } from "react";
import type { Document } from "@/api/types";
import { useLookup } from "@/features/canvas/catalogue";
import { createBuilder } from "@/features/canvas/flow";
import { Rates } from "@/features/runs/Rates";
import { StepSlider } from "@/features/runs/StepSlider";
import { useText } from "@/i18n/whole";
import { VIRIDIS_GRADIENT } from "@/lib/colormap";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { Empty } from "@/ui/States";
import styles from "./GraphPanel.module.css";
import { MeasuredNode } from "./MeasuredNode";
import { measured } from "./measured";
import { MEASURES, type Measure, reading } from "./readings";

const nodeTypes = { measured: MeasuredNode };

/** The network that was trained, each node in the colour of what is measured: at the last sampled step, or at another. */
export default function GraphPanel({ document, feed }: { document: Document; feed: RunFeed }) {
  const t = useText().runs;
  useTopic(feed, "statistics");
  useTopic(feed, "activations");
  const [chosen, setChosen] = useState<number | null>(null);
  const [wanted, setMeasure] = useState<Measure>("gradient");
  const { statistics, activations } = feed.view;
  const measurable = MEASURES.filter((one) => tracksOf(feed, one).steps.length > 0);
  const measure = measurable.includes(wanted) ? wanted : (measurable[0] ?? wanted);
  const tracks = tracksOf(feed, measure);
  const last = tracks.steps.length - 1;
  const sample = Math.min(chosen ?? last, last);
  const { nodes, edges, scale } = useMeasured(document, feed, measure, sample);
  if (statistics.steps.length + activations.steps.length === 0) {
    return (
      <Empty icon={<Workflow size={26} aria-hidden />} title={t.parameters.none}>
        {t.parameters.noneHint}
      </Empty>
    );
  }
  return (
    <div className={styles.panel}>
      <div className={styles.bar}>
        <SegmentedControl
          size="xs"
          aria-label={t.graph.measure}
          value={measure}
          onChange={(value) => {
            setMeasure(value as Measure);
            setChosen(null);
          }}
          data={measurable.map((value) => ({ value, label: t.graph.measures[value] }))}
        />
        {!scale.empty && (
          <span className={styles.legend}>
            {measure === "dead" ? "0%" : shortNumber(scale.low)}
            <span className={styles.scale} style={{ background: VIRIDIS_GRADIENT }} aria-hidden="true" />
            {measure === "dead" ? "100%" : shortNumber(scale.high)}
          </span>
        )}
        <StepSlider value={sample} last={last} onChange={setChosen} label={t.graph.sample}>
          {t.parameters.steps} {tracks.steps.at(sample)}
        </StepSlider>
      </div>
      <div className={styles.canvas}>
        <ReactFlowProvider>
          <ReactFlow
            nodes={nodes}
            edges={edges}
            nodeTypes={nodeTypes}
            nodesDraggable={false}
            nodesConnectable={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            deleteKeyCode={null}
            minZoom={0.05}
            maxZoom={2}
            // By the sizes in the data: only what is in sight is ever measured.
            onInit={(flow) => void flow.fitBounds(flow.getNodesBounds(nodes), { padding: 0.08 })}
            onlyRenderVisibleElements
          />
        </ReactFlowProvider>
      </div>
      <Text size="xs" c="dimmed">
        {t.graph.hints[measure]}
      </Text>
      <Rates feed={feed} />
    </div>
  );
}

/** What a measure is sampled with. */
const tracksOf = ({ view }: RunFeed, measure: Measure) =>
  measure === "gradient" || measure === "ratio" ? view.statistics : view.activations;

/** The outermost block as React Flow draws it, with what was measured of every node at a sample. */
function useMeasured(document: Document, feed: RunFeed, measure: Measure, sample: number) {
  const lookup = useLookup();
  const { edge: edgeName } = useText().editor.canvas;
  const scene = useMemo(() => {
    const place = { block: document.main, instance: "" };
    return createBuilder()({ doc: document, place, lookup, report: null, edgeName });
  }, [document, lookup, edgeName]);
  const { version } = tracksOf(feed, measure);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tracks are the same object; the version tells of growth
  return useMemo(
    () => measured(scene, (member) => reading(measure, feed.view, member, sample), measure === "dead"),
    [scene, feed, measure, version, sample],
  );
}
