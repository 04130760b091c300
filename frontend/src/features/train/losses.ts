import type { DatasetEntry, Entry } from "@/api/types";
import type { Texts } from "@/i18n";

const BY_TASK: Record<DatasetEntry["task"], string> = {
  classification: "torch.nn.CrossEntropyLoss",
  tokens: "torch.nn.CrossEntropyLoss",
  regression: "torch.nn.MSELoss",
  reconstruction: "torch.nn.MSELoss",
};

/** What a loss expects, where another than the task's own is chosen; in torch's words where there are none of ours. */
export function lossHint(entry: Entry | undefined, task: DatasetEntry["task"] | undefined, t: Texts) {
  if (entry === undefined || task === undefined || entry.name === BY_TASK[task]) return undefined;
  return t.train.lossHints[entry.label] ?? entry.summary.split(/(?<=\.)\s/, 1)[0];
}
