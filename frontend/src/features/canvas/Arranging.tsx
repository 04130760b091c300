import { Button, Loader } from "@mantine/core";
import { useEffect, useState } from "react";
import { useText } from "@/i18n";
import styles from "./Canvas.module.css";
import { useCanvas } from "./state";

/** What is over sooner needs no announcement. */
const SOON_MS = 150;

/** Says that the layout of a large graph is being computed, and ends that. */
export function Arranging() {
  const arranging = useCanvas((state) => state.arranging);
  return arranging && <Shown stop={() => arranging.abort()} />;
}

function Shown({ stop }: { stop: () => void }) {
  const { editor, common } = useText();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SOON_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  return (
    <div className={styles.arranging} role="status" data-testid="arranging">
      <Loader size={14} aria-hidden />
      {editor.canvas.arranging}
      <Button size="compact-xs" variant="default" onClick={stop}>
        {common.actions.cancel} <kbd>Esc</kbd>
      </Button>
    </div>
  );
}
