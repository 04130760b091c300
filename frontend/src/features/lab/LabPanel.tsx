import { Button, MultiSelect, SegmentedControl, Switch, Tooltip } from "@mantine/core";
import { FlaskConical, Sparkles } from "lucide-react";
import { useMemo, useState } from "react";
import type { LabReport } from "@/api/types";
import { AddLayerButton } from "@/features/canvas/AddLayerButton";
import { callerOf, trailAlong } from "@/features/problems/place";
import { ToProblems } from "@/features/problems/ToProblems";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import { initializeBy } from "@/model/edit";
import { apply, currentDoc } from "@/model/store";
import { focusNode, useView } from "@/model/view";
import { Empty, ErrorNotice, ListSkeleton } from "@/ui/States";
import styles from "./Lab.module.css";
import { SchemeCard } from "./SchemeCard";
import { judged, type Measure, placesOf, scaleOf, valuesOf } from "./scheme";
import { AS_DRAWN, RECOMMENDED, useLab } from "./useLab";

const MEASURES: readonly Measure[] = ["variance", "gradient", "mean"];

/** What initializers do to the network before any training, side by side. */
export function LabPanel() {
  const t = useText().lab;
  const [chosen, setChosen] = useState<string[]>([]);
  const { report, error, busy, refused, again } = useLab(chosen);
  const [measure, setMeasure] = useState<Measure>("variance");
  const [weighing, setWeighing] = useState(true);
  if (refused)
    return (
      <Empty low icon={<FlaskConical size={26} aria-hidden />} title={t.notYet} actions={<ToProblems />}>
        {t.notYetHint}
      </Empty>
    );
  if (error && !report) return <ErrorNotice error={error} retry={again} />;
  if (!report) return <ListSkeleton rows={2} height={96} />;
  return (
    <div className={styles.panel} data-testid="lab" data-pending={busy || undefined} aria-busy={busy}>
      <div className={styles.controls}>
        <SegmentedControl
          size="xs"
          value={measure}
          onChange={(value) => setMeasure(value as Measure)}
          data={MEASURES.map((value) => ({ value, label: t.measures[value] }))}
          aria-label={t.measure}
        />
        <Switch
          size="xs"
          label={t.weighing}
          checked={weighing}
          onChange={(event) => setWeighing(event.currentTarget.checked)}
        />
        <MultiSelect
          size="xs"
          className={styles.schemes}
          aria-label={t.schemes}
          placeholder={chosen.length === 0 ? t.usual : ""}
          data={report.ready.map((value) => ({ value, label: t.names[value] ?? value }))}
          value={chosen}
          onChange={setChosen}
          maxValues={12}
          searchable
          clearable
        />
      </div>
      {error !== null && <ErrorNotice error={error} retry={again} />}
      <Cards report={report} measure={measure} weighing={weighing} />
    </div>
  );
}

/** The literature's initializers as one step; told where they are in use. */
function Recommend({ report }: { report: LabReport }) {
  const t = useText();
  const rules = report.schemes.find((scheme) => scheme.name === RECOMMENDED)?.rules;
  if (!rules?.length) return null;
  return (
    <Tooltip label={t.lab.recommendHint} multiline w={280}>
      <Button
        size="compact-sm"
        variant="light"
        className={styles.recommend}
        leftSection={<Sparkles size={14} aria-hidden />}
        onClick={() => apply(t.lab.step(t.lab.names[RECOMMENDED] ?? RECOMMENDED), (doc) => initializeBy(doc, rules))}
        data-testid="recommend"
      >
        {t.lab.recommend}
      </Button>
    </Tooltip>
  );
}

function Cards({ report, measure, weighing }: { report: LabReport; measure: Measure; weighing: boolean }) {
  const t = useText().lab;
  const [hovered, setHovered] = useState<number | null>(null);
  const shown = useMemo(() => {
    const places = placesOf(report, weighing);
    const rows = report.schemes.map((scheme) => valuesOf(scheme, measure, places));
    const layers = places.map((place) => {
      const call = report.calls[place];
      return call ? (call.call > 0 ? `${call.name} (${call.call + 1})` : call.name) : "";
    });
    return { places, rows, layers, scale: scaleOf(rows, measure) };
  }, [report, measure, weighing]);
  const { places, rows, layers, scale } = shown;
  if (places.length === 0)
    return (
      <Empty low title={t.noLayers} actions={<AddLayerButton />}>
        {t.noLayersHint}
      </Empty>
    );
  const range = t.range(shortNumber(scale.low), shortNumber(scale.high));
  const explanation = `${t.explain[measure](report.seeds.length, report.batch)} ${range}`;
  return (
    <>
      <div className={styles.telling}>
        <p className={styles.explain} title={explanation}>
          {explanation}
        </p>
        <Recommend report={report} />
      </div>
      <div className={styles.cards}>
        {report.schemes.map((scheme, index) => {
          const label = t.names[scheme.name] ?? scheme.name;
          const { rules } = scheme;
          return (
            <SchemeCard
              key={scheme.name}
              name={scheme.name}
              label={label}
              values={rows[index] ?? []}
              layers={layers}
              scale={scale}
              judgement={judged(report, scheme, measure)}
              hovered={hovered}
              onHover={setHovered}
              onPick={(place) => showLayer(report.calls[places[place] ?? 0]?.name ?? "")}
              use={
                scheme.name === AS_DRAWN || !rules
                  ? null
                  : () => apply(t.step(label), (doc) => initializeBy(doc, rules))
              }
            />
          );
        })}
      </div>
    </>
  );
}

/** Goes to the node that calls a module. */
function showLayer(name: string): void {
  const doc = currentDoc();
  const trail = trailAlong(doc, name);
  const place = trail.at(-1);
  const graph = place && doc.blocks[place.block]?.forward;
  if (!graph) return;
  const path = place.instance ? name.slice(place.instance.length + 1) : name;
  const node = callerOf(graph, path);
  useView.setState({ trail });
  if (node) focusNode(node.id);
}
