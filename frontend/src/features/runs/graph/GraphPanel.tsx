import "@xyflow/react/dist/style.css";
import { Slider, Text } from "@mantine/core";
import { ReactFlow, ReactFlowProvider } from "@xyflow/react";
import { Workflow } from "lucide-react";
import { useMemo, useState } from "react";
import type { Document } from "@/api/types";
import { useLookup } from "@/features/canvas/catalogue";
import { createBuilder } from "@/features/canvas/flow";
import { useText } from "@/i18n";
import { VIRIDIS_GRADIENT } from "@/lib/colormap";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import type { ParameterTracks } from "@/live/tracks";
import { useTopic } from "@/live/useRunFeed";
import { Empty } from "@/ui/States";
import styles from "./GraphPanel.module.css";
import { MeasuredNode } from "./MeasuredNode";
import { measured } from "./measured";

const nodeTypes = { measured: MeasuredNode };

/** The network that was trained, each node in the colour of its gradient norm: at the last sampled step, or at another. */
export default function GraphPanel({ document, feed }: { document: Document; feed: RunFeed }) {
  const t = useText().runs;
  useTopic(feed, "statistics");
  const [chosen, setChosen] = useState<number | null>(null);
  const tracks = feed.view.statistics;
  const last = tracks.steps.length - 1;
  const sample = Math.min(chosen ?? last, last);
  const { nodes, edges, scale } = useMeasured(document, tracks, sample);
  if (last < 0) {
    return (
      <Empty icon={<Workflow size={26} aria-hidden />} title={t.parameters.none}>
        {t.parameters.noneHint}
      </Empty>
    );
  }
  return (
    <div className={styles.panel}>
      <div className={styles.bar}>
        <Text size="sm">{t.parameters.gradient}</Text>
        {!scale.empty && (
          <span className={styles.legend}>
            {shortNumber(scale.low)}
            <span className={styles.scale} style={{ background: VIRIDIS_GRADIENT }} aria-hidden="true" />
            {shortNumber(scale.high)}
          </span>
        )}
        <Slider
          className={styles.slider}
          size="sm"
          min={0}
          max={Math.max(1, last)}
          disabled={last === 0}
          value={sample}
          // At the end it follows what comes.
          onChange={(value) => setChosen(value >= last ? null : value)}
          label={null}
          thumbProps={{ "aria-label": t.graph.sample }}
        />
        <output className={styles.step}>
          {t.parameters.steps} {tracks.steps.at(sample)}
        </output>
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
        {t.graph.hint}
      </Text>
    </div>
  );
}

/** The outermost block as React Flow draws it, with the norms of every node at a sample. */
function useMeasured(document: Document, tracks: ParameterTracks, sample: number) {
  const lookup = useLookup();
  const scene = useMemo(() => {
    const place = { block: document.main, instance: "" };
    return createBuilder()({ doc: document, place, lookup, report: null });
  }, [document, lookup]);
  return useMemo(() => measured(scene, tracks, sample), [scene, tracks, tracks.version, sample]);
}
