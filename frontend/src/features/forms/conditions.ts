/** Conditions as people read them: the two that every network has get words, any other stands as it is written. */

import type { Texts } from "@/i18n";
import { TRAINING } from "@/model/cases";
import { OUTPUT } from "@/model/graph";
import type { InPort } from "@/model/ports";
import { negated } from "@/model/values";

type Words = Texts["editor"]["conditions"];
type Shown = { test: string; otherwise: boolean };
type Manner = { [key in "training" | "evaluation"]: string };

const said = (test: string, words: Manner): string | null =>
  test === TRAINING ? words.training : test === negated(TRAINING) ? words.evaluation : null;

/** When something is there: `training`. */
export const caseText = ({ test, otherwise }: Shown, t: Words): string =>
  said(test, t.cases) ?? (otherwise ? t.otherwise : test);
/** When a node runs: `training only`. */
export const onlyText = (test: string, t: Words): string => said(test, t.only) ?? test;
/** The same as the name of a field: `while training`; null where there are no words for it. */
export const whileText = (test: string, t: Words): string | null => said(test, t.during);

/** What stands over a port: its name, or when it is read, and its name too where several are read at times. */
export function portText(port: InPort, ports: readonly InPort[], t: Words): string {
  if (!port.on) return port.name;
  const named = port.on.port !== OUTPUT && new Set(ports.flatMap((it) => it.on?.port ?? [])).size > 1;
  return [caseText(port.on, t), ...(named ? [port.on.port] : [])].join("·");
}
