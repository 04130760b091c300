import { ActionIcon, ScrollArea, SegmentedControl, TextInput, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useReactFlow } from "@xyflow/react";
import { ChevronRight, CircleQuestionMark, PanelLeftClose, Search, X } from "lucide-react";
import { memo, useMemo, useState } from "react";
import { createPortal } from "react-dom";
import { catalogueQuery } from "@/api/queries";
import { addByHand } from "@/features/canvas/adding";
import { byCategory, categoryColour } from "@/features/canvas/categories";
import { dropThing, takesDrop, targetAt } from "@/features/canvas/drop";
import { search } from "@/features/canvas/search";
import { hover, useCanvas } from "@/features/canvas/state";
import { addStep, type Listed } from "@/features/canvas/things";
import { useSelectedAxes } from "@/features/canvas/useSuggested";
import { useThings } from "@/features/canvas/useThings";
import { useText } from "@/i18n";
import { currentDoc } from "@/model/store";
import { placeIn, useView } from "@/model/view";
import { ErrorNotice, ListSkeleton, NoHits } from "@/ui/States";
import { toast } from "@/ui/Toasts";
import { useDrag } from "./drag";
import styles from "./Palette.module.css";
import { remember, useRecent } from "./recent";

type Tab = "layers" | "operations";
const MOST_FOUND = 80;

/** Layers and operations to put on the canvas: by dragging, or by a click or Enter after the selected node. */
export function Palette({ onFold }: { onFold: () => void }) {
  const t = useText().editor;
  const catalogue = useQuery(catalogueQuery);
  const { structure, layers, operations } = useThings();
  const [query, setQuery] = useState("");
  const [tab, setTab] = useState<Tab>("layers");
  const recent = useRecent((state) => state.ids);
  const { dragging, start } = usePaletteDrag();

  const all = useMemo(() => [...layers, ...structure, ...operations], [layers, structure, operations]);
  const groups = useMemo(() => grouped(tab === "layers" ? layers : operations), [tab, layers, operations]);
  const axes = useSelectedAxes();
  const found = useMemo(
    () => (query.trim() ? search(all, query, axes).slice(0, MOST_FOUND) : null),
    [all, query, axes],
  );
  const latest = recent.flatMap((id) => all.find((listed) => listed.id === id) ?? []);
  const row = (listed: Listed) => <Item key={listed.id} listed={listed} start={start} />;

  return (
    <section className={styles.palette} aria-label={t.palette.title} data-testid="palette" data-search>
      <div className={styles.top}>
        <TextInput
          size="sm"
          className={styles.search}
          aria-label={t.palette.search}
          placeholder={t.palette.searchShort}
          leftSection={<Search size={15} aria-hidden />}
          rightSection={
            query && (
              <ActionIcon
                size="sm"
                variant="subtle"
                color="gray"
                aria-label={t.palette.clear}
                onClick={() => setQuery("")}
              >
                <X size={14} aria-hidden />
              </ActionIcon>
            )
          }
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.nativeEvent.isComposing) return;
            if (event.key === "Enter" && found?.[0]) addByHand(found[0]);
            if (event.key === "Escape") setQuery("");
          }}
          autoComplete="off"
          spellCheck={false}
        />
        <Tooltip label={t.palette.fold}>
          <ActionIcon variant="subtle" color="gray" aria-label={t.palette.fold} onClick={onFold}>
            <PanelLeftClose size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      <ScrollArea className={styles.scroll} type="hover" scrollbarSize={8}>
        {catalogue.isPending && <ListSkeleton rows={10} height={28} />}
        {catalogue.isError && <ErrorNotice error={catalogue.error} retry={() => void catalogue.refetch()} />}
        {found ? (
          <div className={styles.group}>
            {found.map(row)}
            {found.length === 0 && <NoHits onClear={() => setQuery("")}>{t.palette.nothing}</NoHits>}
          </div>
        ) : (
          <>
            {latest.length > 0 && <Group title={t.palette.recent} colour={null} listed={latest} row={row} open />}
            <Group title={t.palette.structure} colour={categoryColour("container")} listed={structure} row={row} open />
            <SegmentedControl
              fullWidth
              size="xs"
              className={styles.tabs}
              value={tab}
              onChange={(value) => setTab(value as Tab)}
              data={[
                { value: "layers", label: t.palette.layers },
                { value: "operations", label: t.palette.operations },
              ]}
            />
            {groups.map(([category, listed], index) => (
              <Group
                key={`${tab}-${category}`}
                title={t.categories[category as keyof typeof t.categories] ?? category}
                colour={categoryColour(category)}
                listed={listed}
                row={row}
                open={tab === "layers" && index < 2}
              />
            ))}
          </>
        )}
      </ScrollArea>
      <p className={styles.help}>{t.palette.help}</p>
      {dragging &&
        createPortal(
          <div className={styles.ghost} style={{ left: dragging.x, top: dragging.y }} aria-hidden>
            <span className={styles.dot} style={{ background: categoryColour(dragging.what.category) }} />
            {dragging.what.label}
          </div>,
          document.body,
        )}
    </section>
  );
}

function grouped(listed: readonly Listed[]): [string, Listed[]][] {
  const groups = new Map<string, Listed[]>();
  for (const it of listed) groups.set(it.category, [...(groups.get(it.category) ?? []), it]);
  return [...groups].sort(([a], [b]) => byCategory(a, b));
}

function Group(props: {
  title: string;
  colour: string | null;
  listed: Listed[];
  row: (listed: Listed) => React.ReactNode;
  open: boolean;
}) {
  const [open, setOpen] = useState(props.open);
  return (
    <div className={styles.group}>
      <button type="button" className={styles.category} aria-expanded={open} onClick={() => setOpen(!open)}>
        <ChevronRight size={13} aria-hidden className={styles.arrow} />
        {props.colour && <span className={styles.dot} style={{ background: props.colour }} />}
        <span className={styles.title}>{props.title}</span>
        <span className={styles.count}>{props.listed.length}</span>
      </button>
      {open && props.listed.map(props.row)}
    </div>
  );
}

type Start = ReturnType<typeof usePaletteDrag>["start"];

/** Where nothing hovers, what a pointer would bring out is always there. */
const TOUCHED = globalThis.matchMedia?.("(hover: none)").matches ?? false;

/** Drawn once: a drag across the page draws the palette at every move. */
const Item = memo(function Item({ listed, start }: { listed: Listed; start: Start }) {
  const { help } = useText();
  const { thing } = listed;
  const explain = "entry" in thing && (() => useCanvas.setState({ help: { name: thing.entry.name } }));
  // The button is there where it can be pressed: on every row it would be a tenth of all elements of the page.
  const [here, setHere] = useState(TOUCHED);
  return (
    <div className={styles.row} onPointerEnter={() => setHere(true)} onPointerLeave={() => setHere(TOUCHED)}>
      <Tooltip label={listed.summary} disabled={!listed.summary} position="right" openDelay={600} withinPortal>
        <button
          type="button"
          className={styles.item}
          data-palette={listed.id}
          aria-keyshortcuts={explain ? "F1" : undefined}
          onPointerDown={start(listed)}
          onKeyDown={(event) => {
            if (event.key !== "F1" || !explain) return;
            event.preventDefault();
            explain();
          }}
          onClick={(event) => {
            // A double click means one.
            if (event.detail < 2) addByHand(listed);
          }}
        >
          <span className={styles.itemLabel}>{listed.label}</span>
          {listed.from && <span className={styles.from}>{listed.from}</span>}
        </button>
      </Tooltip>
      {explain && here && (
        <button
          type="button"
          className={styles.explain}
          // By keys it is F1, so that each item stays one stop of Tab.
          tabIndex={-1}
          aria-label={help.card.open(listed.label)}
          title={`${help.card.open(listed.label)} (F1)`}
          data-help={listed.id}
          onClick={explain}
        >
          <CircleQuestionMark size={14} aria-hidden />
        </button>
      )}
    </div>
  );
});

const blockHere = () => placeIn(useView.getState().trail, currentDoc()).block;

function usePaletteDrag() {
  const t = useText().editor;
  const { screenToFlowPosition } = useReactFlow();
  return useDrag<Listed>({
    move: (_, x, y, alt) => hover(alt ? null : targetAt(x, y)),
    drop: (listed, x, y, alt) => {
      if (!takesDrop(x, y)) return;
      const point = screenToFlowPosition({ x, y });
      const done = dropThing(blockHere(), listed.thing, addStep(listed), alt ? null : targetAt(x, y), point);
      if (done === "refused") toast(t.canvas.onlyLayers, t.canvas.onlyLayersHint);
      else remember(listed.id);
    },
    end: () => hover(null),
  });
}
