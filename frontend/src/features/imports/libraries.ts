/** torchvision's networks as a list to search. */
import type { LibraryNetwork } from "@/api/types";
import { shapeText } from "@/lib/shape";

export type Task = LibraryNetwork["task"];
/** In the order in which they are offered. */
export const TASKS: readonly Task[] = ["classification", "segmentation", "detection", "video", "optical flow"];

/** As names differ in what stands between their parts: `ResNet 50` is found as `resnet50`. */
const plain = (text: string) => text.toLowerCase().replaceAll(/[-_\s]+/g, "");

/** Those in whose name or family every word occurs; a name that is the query itself comes first. */
export function found(all: readonly LibraryNetwork[], query: string, task: Task | null): LibraryNetwork[] {
  const words = query.split(/\s+/).map(plain).filter(Boolean);
  const fitting = all.filter((it) => {
    const said = plain(`${it.name} ${it.family}`);
    return (task === null || it.task === task) && words.every((word) => said.includes(word));
  });
  const exact = plain(query);
  return fitting.toSorted((a, b) => Number(plain(b.name) === exact) - Number(plain(a.name) === exact));
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

/** By family, names as a person counts. */
export function families(networks: readonly LibraryNetwork[]): [string, LibraryNetwork[]][] {
  const groups = new Map<string, LibraryNetwork[]>();
  for (const it of networks) groups.set(it.family, [...(groups.get(it.family) ?? []), it]);
  return [...groups]
    .sort(([a], [b]) => byName(a, b))
    .map(([family, members]) => [family, members.toSorted((a, b) => byName(a.name, b.name))]);
}

export const shapesOf = (network: LibraryNetwork): string => network.inputs.map(shapeText).join(", ");

/** What the service opens it as. What is kept has its shapes; for the others they are stated. */
export const requestOf = ({ name, part, inputs, kept }: Pick<LibraryNetwork, "name" | "part" | "inputs" | "kept">) => ({
  source: `torchvision:${name}`,
  part,
  inputs: kept ? {} : Object.fromEntries(inputs.map((shape, place) => [String(place), { shape }])),
});
