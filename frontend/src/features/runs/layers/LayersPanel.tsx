import { Layers } from "lucide-react";
import { useState } from "react";
import { Rates } from "@/features/runs/Rates";
import { ThinnedNote } from "@/features/runs/ThinnedNote";
import { useText } from "@/i18n/whole";
import type { RunFeed } from "@/live/feed";
import { useTopic } from "@/live/useRunFeed";
import { Empty } from "@/ui/States";
import { ImagesPanel } from "./ImagesPanel";
import styles from "./LayersPanel.module.css";
import { LayerTable } from "./LayerTable";

const KINDS: ("activations" | "images")[] = ["activations", "images"];

/** What every layer gives while the network learns: its numbers, and images of some of them. */
export function LayersPanel({ feed }: { feed: RunFeed }) {
  const t = useText().runs.layers;
  useTopic(feed, "activations");
  useTopic(feed, "images");
  const [chosen, setChosen] = useState<string | null>(null);
  const { activations, images } = feed.view;
  if (activations.steps.length === 0 && images.sources.length === 0) {
    const gone = KINDS.some((kind) => feed.view.thinned.has(kind));
    return (
      <Empty
        icon={<Layers size={26} aria-hidden />}
        title={gone ? t.gone : t.none}
        actions={<ThinnedNote feed={feed} of={KINDS} />}
      >
        {!gone && t.noneHint}
      </Empty>
    );
  }
  return (
    <div className={styles.panel}>
      <div className={styles.list}>
        <Rates feed={feed} />
        <ThinnedNote feed={feed} of={["activations"]} />
        <LayerTable tracks={activations} images={images} selected={chosen} onSelect={setChosen} />
      </div>
      <ImagesPanel feed={feed} layer={chosen} onLayer={setChosen} />
    </div>
  );
}
