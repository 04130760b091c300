import { Slider } from "@mantine/core";
import type { ReactNode } from "react";
import styles from "./StepSlider.module.css";

interface Props {
  /** Of the sample that is shown. */
  value: number;
  last: number;
  /** Null at the end, where it follows what comes. */
  onChange: (chosen: number | null) => void;
  label: string;
  /** The step, in words. */
  children: ReactNode;
}

/** Chooses among the samples that were taken while a run trains. */
export function StepSlider({ value, last, onChange, label, children }: Props) {
  return (
    <>
      <Slider
        className={styles.slider}
        size="sm"
        min={0}
        max={Math.max(1, last)}
        disabled={last === 0}
        value={value}
        onChange={(chosen) => onChange(chosen >= last ? null : chosen)}
        label={null}
        thumbProps={{ "aria-label": label }}
      />
      <output className={styles.step}>{children}</output>
    </>
  );
}
