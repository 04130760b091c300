/** Conditions as people read them: the two that every network has get words, any other stands as it is written. */

import type { Texts } from "@/i18n";
import { TRAINING } from "@/model/cases";
import { OUTPUT } from "@/model/graph";
import type { InPort } from "@/model/ports";
import { negated } from "@/model/values";

type Words = Texts["editor"]["conditions"];
type Manner = { [key in "training" | "evaluation"]: string };

const said = (test: string, words: Manner): string =>
  test === TRAINING ? words.training : test === negated(TRAINING) ? words.evaluation : test;

/** When something is there: `training`. */
export const caseText = (test: string, t: Words): string => said(test, t.cases);
/** When a node runs: `training only`. */
export const onlyText = (test: string, t: Words): string => said(test, t.only);
/** The same as the name of a field: `while training`. */
export const whileText = (test: string, t: Words): string => said(test, t.during);

/** What stands over a port: its name where it has neighbours, and when it is read. */
export function portText(port: InPort, ports: readonly InPort[], t: Words): string {
  if (!port.on) return port.name;
  const named = port.on.port !== OUTPUT && new Set(ports.map((it) => it.on?.port ?? it.name)).size > 1;
  return [caseText(port.on.test, t), ...(named ? [port.on.port] : [])].join("·");
}
