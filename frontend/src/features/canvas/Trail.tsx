import { ChevronRight } from "lucide-react";
import { Fragment } from "react";
import { useText } from "@/i18n";
import { goUp, useView } from "@/model/view";
import styles from "./Canvas.module.css";

/** From the outermost block to the one that is shown. */
export function Trail() {
  const t = useText().editor.canvas;
  const trail = useView((state) => state.trail);
  if (trail.length < 2) return null;
  return (
    <nav className={styles.trail} aria-label={t.trail} data-testid="trail">
      {trail.map((place, depth) => (
        <Fragment key={`${place.block}#${place.instance}`}>
          {depth > 0 && <ChevronRight size={13} aria-hidden />}
          <button
            type="button"
            className={styles.crumb}
            aria-current={depth === trail.length - 1 ? "page" : undefined}
            onClick={() => goUp(depth)}
          >
            {place.block}
          </button>
        </Fragment>
      ))}
    </nav>
  );
}
