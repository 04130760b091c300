import { ActionIcon, Badge, Tooltip, UnstyledButton, VisuallyHidden } from "@mantine/core";
import { ChevronDown, ChevronUp } from "lucide-react";
import { Suspense, useId, useState } from "react";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { compactCount } from "@/lib/format";
import { useDocument } from "@/model/store";
import { type BottomTab, useView } from "@/model/view";
import { apart, useArrived } from "@/ui/apart";
import styles from "./EditorPage.module.css";

const TABS: BottomTab[] = ["problems", "code", "shapes", "rules", "lab"];
/** Folded at first, each is fetched when the page has come to rest. */
const PANELS = {
  problems: apart(async () => (await import("@/features/problems/ProblemsPanel")).ProblemsPanel),
  code: apart(async () => (await import("@/features/code/CodePanel")).CodePanel),
  shapes: apart(async () => (await import("@/features/problems/ShapesPanel")).ShapesPanel),
  rules: apart(async () => (await import("@/features/rules/RulesPanel")).RulesPanel),
  lab: apart(async () => (await import("@/features/lab/LabPanel")).LabPanel),
};
const LEAST_PX = 120;

/** What the network means: problems, code, shapes, initializers. Folds down to its tabs. */
export function EditorPageBottom() {
  const t = useText().editor;
  const { tab, bottomOpen } = useView();
  const [height, setHeight] = useState(240);
  const id = useId();
  const Panel = PANELS[tab];
  useArrived(...Object.values(PANELS));
  const choose = (next: BottomTab) =>
    useView.setState((state) => ({ tab: next, bottomOpen: state.tab === next ? !state.bottomOpen : true }));
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? TABS.length - 1 : 0;
    if (step === 0) return;
    const next = TABS[(TABS.indexOf(tab) + step) % TABS.length] as BottomTab;
    useView.setState({ tab: next });
    event.currentTarget.querySelector<HTMLElement>(`[data-tab=${next}]`)?.focus();
  };
  return (
    <section className={styles.bottom} aria-label={t.bottom.label}>
      {bottomOpen && <Resizer height={height} onResize={setHeight} label={t.bottom.resize} />}
      <div className={styles.tabs} data-tour="problems">
        <div role="tablist" aria-label={t.bottom.label} className={styles.tablist} onKeyDown={onKeyDown}>
          {TABS.map((it) => (
            <UnstyledButton
              key={it}
              role="tab"
              id={`${id}-${it}`}
              data-tab={it}
              aria-selected={it === tab && bottomOpen}
              aria-controls={bottomOpen && it === tab ? `${id}-panel` : undefined}
              tabIndex={it === tab ? 0 : -1}
              className={styles.tab}
              onClick={() => choose(it)}
            >
              {t.bottom.tabs[it]}
              {it === "problems" && <ProblemCount />}
              {it === "rules" && <RuleCount />}
            </UnstyledButton>
          ))}
        </div>
        <Totals />
        <Tooltip label={bottomOpen ? t.bottom.fold : t.bottom.unfold}>
          <ActionIcon
            variant="subtle"
            color="gray"
            size="sm"
            aria-label={bottomOpen ? t.bottom.fold : t.bottom.unfold}
            aria-expanded={bottomOpen}
            onClick={() => useView.setState({ bottomOpen: !bottomOpen })}
          >
            {bottomOpen ? <ChevronDown size={15} aria-hidden /> : <ChevronUp size={15} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      </div>
      {bottomOpen && (
        <div
          role="tabpanel"
          id={`${id}-panel`}
          aria-labelledby={`${id}-${tab}`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
          tabIndex={0}
          className={styles.panel}
          style={{ height }}
        >
          <Suspense fallback={null}>
            <Panel />
          </Suspense>
        </div>
      )}
    </section>
  );
}

function ProblemCount() {
  const t = useText().common.error;
  const failed = useCheck((state) => state.error !== null);
  const errors = useCheck((state) => state.report?.problems.filter((it) => it.severity === "error").length ?? 0);
  const all = useCheck((state) => state.report?.problems.length ?? 0);
  if (failed)
    return (
      <Badge size="sm" circle variant="filled" className={styles.bad} title={t.unchecked} data-testid="check-failed">
        <span aria-hidden="true">!</span>
        <VisuallyHidden>{t.unchecked}</VisuallyHidden>
      </Badge>
    );
  if (all === 0) return null;
  return (
    <Badge
      size="sm"
      circle
      variant="filled"
      className={errors > 0 ? styles.bad : styles.warn}
      data-testid="problem-count"
    >
      {all}
    </Badge>
  );
}

function RuleCount() {
  const count = useDocument((state) => state.history.doc.init.length);
  return count > 0 ? (
    <Badge size="sm" circle variant="light">
      {count}
    </Badge>
  ) : null;
}

function Totals() {
  const t = useText().editor.bottom;
  const totals = useCheck((state) => state.report?.totals);
  if (!totals) return <span className={styles.totals} />;
  return (
    <span className={styles.totals} data-testid="totals">
      {t.parameters(compactCount(totals.parameters))} ·{" "}
      {t.flops(compactCount(totals.batch ? totals.flops / totals.batch : 0))}
    </span>
  );
}

function Resizer({ height, onResize, label }: { height: number; onResize: (height: number) => void; label: string }) {
  const limit = (wanted: number) => Math.max(LEAST_PX, Math.min(wanted, window.innerHeight - 260));
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that moves is no <hr>
    <div
      role="separator"
      aria-orientation="horizontal"
      aria-label={label}
      aria-valuenow={height}
      aria-valuemin={LEAST_PX}
      tabIndex={0}
      className={styles.resizer}
      onKeyDown={(event) => {
        if (event.key === "ArrowUp") onResize(limit(height + 24));
        if (event.key === "ArrowDown") onResize(limit(height - 24));
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        const from = event.clientY;
        const { currentTarget } = event;
        const move = (it: PointerEvent) => onResize(limit(height + from - it.clientY));
        currentTarget.addEventListener("pointermove", move);
        currentTarget.addEventListener("pointerup", () => currentTarget.removeEventListener("pointermove", move), {
          once: true,
        });
      }}
    />
  );
}
