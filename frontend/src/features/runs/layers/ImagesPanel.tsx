import { SegmentedControl, Select, Text } from "@mantine/core";
import { useState } from "react";
import { StepSlider } from "@/features/runs/StepSlider";
import { ThinnedNote } from "@/features/runs/ThinnedNote";
import { useText } from "@/i18n/whole";
import { VIRIDIS_GRADIENT } from "@/lib/colormap";
import { shortNumber } from "@/lib/format";
import type { RunFeed } from "@/live/feed";
import type { ImageFrame, Source } from "@/live/images";
import styles from "./LayersPanel.module.css";
import { Mosaic } from "./Mosaic";

interface Props {
  feed: RunFeed;
  /** A layer that was chosen elsewhere. */
  layer: string | null;
  onLayer: (layer: string) => void;
}

const keyOf = ({ of, layer }: Source) => `${of}:${layer}`;

/** Feature maps or attention maps of a layer for one sample: at the last sampled step, or at another. */
export function ImagesPanel({ feed, layer, onLayer }: Props) {
  const t = useText().runs.layers;
  const [key, setKey] = useState<string | null>(null);
  const [sample, setSample] = useState<number | null>(null);
  const [chosen, setChosen] = useState<number | null>(null);
  const tracks = feed.view.images;
  const { sources } = tracks;
  const fitting = layer === null ? sources : sources.filter((one) => one.layer === layer);
  const source = fitting.find((one) => keyOf(one) === key) ?? fitting[0];
  const samples = source ? tracks.samples(source) : [];
  const shown = samples.find((one) => one === sample) ?? samples[0] ?? 0;
  const frames = source ? tracks.of(source, shown) : [];
  const last = frames.length - 1;
  const index = Math.min(chosen ?? last, last);
  const frame = frames[index];
  const choose = (next: string | null) => {
    const found = sources.find((one) => keyOf(one) === next);
    if (found === undefined) return;
    setKey(next);
    onLayer(found.layer);
  };
  return (
    <figure className={styles.card}>
      <figcaption className={styles.controls}>
        <Select
          size="xs"
          aria-label={t.images}
          placeholder={t.imagesPick}
          value={source ? keyOf(source) : null}
          onChange={choose}
          data={(["features", "attention"] as const).map((of) => ({
            group: t.of[of],
            items: sources
              .filter((one) => one.of === of)
              .map((one) => ({ value: keyOf(one), label: one.layer || t.whole })),
          }))}
        />
        {samples.length > 1 && (
          <SegmentedControl
            size="xs"
            aria-label={t.sample}
            value={String(shown)}
            onChange={(value) => setSample(Number(value))}
            data={samples.map((one) => ({ value: String(one), label: t.sampleOf(one + 1) }))}
          />
        )}
      </figcaption>
      {source === undefined || frame === undefined ? (
        <Text c="dimmed" size="sm">
          {sources.length === 0 ? t.imagesNone : t.imagesNoneHere}
        </Text>
      ) : (
        <>
          <Mosaic
            frame={frame}
            label={`${t.of[source.of]}: ${source.layer}, ${t.sampleOf(shown + 1)}, ${t.step(frame.step)}`}
          />
          <div className={styles.controls}>
            <StepSlider value={index} last={last} onChange={setChosen} label={t.imagesStep}>
              {t.step(frame.step)}
            </StepSlider>
          </div>
          <Legend frame={frame} />
          <Text size="xs" c="dimmed">
            {hint(frame, source, t)}
          </Text>
        </>
      )}
      <ThinnedNote feed={feed} of={["images"]} />
    </figure>
  );
}

function Legend({ frame }: { frame: ImageFrame }) {
  const t = useText().runs.layers;
  return (
    <div className={styles.legend}>
      {shortNumber(frame.low)}
      <span className={styles.scale} style={{ background: VIRIDIS_GRADIENT }} aria-hidden="true" />
      {shortNumber(frame.high)}
      {frame.pixels.includes(255) && (
        <>
          <span className={styles.bad} aria-hidden="true" />
          {t.nonfinite}
        </>
      )}
    </div>
  );
}

type Words = ReturnType<typeof useText>["runs"]["layers"];

function hint({ maps, total, size }: ImageFrame, { of }: Source, t: Words): string {
  const extent = `${size[0]}×${size[1]}`;
  if (of === "features" && total === 1) return `${t.sequenceHint} ${extent}`;
  return `${of === "attention" ? t.attentionHint : t.featuresHint} ${t.shown(maps, total, extent, of)}`;
}
