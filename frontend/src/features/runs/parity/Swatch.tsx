import { useComputedColorScheme } from "@mantine/core";
import { curveColour } from "@/ui/colours";
import styles from "./ParityPanel.module.css";

/** How a way's curve is drawn: the reference is solid, those that lie on it are dashed, so that both are seen. */
export const DASHES = [undefined, "7 5", "2 4"];

/** A piece of a curve, before its name. */
export function Swatch({ index }: { index: number }) {
  const scheme = useComputedColorScheme("light");
  return (
    <svg width={22} height={10} className={styles.swatch} aria-hidden>
      <path
        d="M1 5H21"
        stroke={curveColour(index, scheme)}
        strokeWidth={2.4}
        strokeDasharray={DASHES[index % DASHES.length]}
      />
    </svg>
  );
}
