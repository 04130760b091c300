/** Which way of opening a network is shown, and what was handed to it. */
import type { RefObject } from "react";
import { create } from "zustand";

export type Way = "saved" | "examples" | "torchvision" | "code";

type Opening = {
  opened: boolean;
  /** Null for the one that fits: the saved ones, or the examples where nothing is saved. */
  way: Way | null;
  /** A text that was dropped or chosen, for the way "code". */
  source: string;
  /** A file that only the service can read. */
  file: File | null;
};

const CLOSED: Opening = { opened: false, way: null, source: "", file: null };

export const useOpening = create<Opening>(() => CLOSED);

/** Shows the dialog. */
export const openFrom = (way: Way | null = null, given: Partial<Pick<Opening, "source" | "file">> = {}): void =>
  useOpening.setState({ ...CLOSED, ...given, opened: true, way });

/** Hides it. What was typed into it is not kept. */
export const closeOpening = (): void => useOpening.setState({ opened: false, file: null });

/** The field behind the browser's own dialog for files. */
export const filePicker: RefObject<HTMLInputElement | null> = { current: null };
