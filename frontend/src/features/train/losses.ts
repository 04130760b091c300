import type { Entry } from "@/api/types";
import type { Texts } from "@/i18n/whole";

/** What a loss that somebody has chosen expects; in torch's words where there are none of ours. */
export function lossHint(entry: Entry | undefined, t: Texts): string | undefined {
  return entry && (t.train.lossHints[entry.label] ?? entry.summary.split(/(?<=\.)\s/, 1)[0]);
}
