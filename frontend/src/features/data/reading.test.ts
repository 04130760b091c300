import { expect, it } from "vitest";
import type { ColumnFacts } from "@/api/types";
import { type Column, withColumn } from "./reading";

const columns: Column[] = [
  { name: "note", kind: "text", role: "ignored" },
  { name: "size", kind: "number", role: "feature" },
  { name: "price", kind: "number", role: "target" },
];
const facts = (name: string, ...kinds: ColumnFacts["kinds"]) => ({ name, kinds }) as ColumnFacts;
const roles = (chosen: Column[]) => chosen.map(({ kind, role }) => `${kind} ${role}`);

it("predicts several numbers together", () => {
  const chosen = withColumn(columns, facts("size", "number", "text"), { role: "target" });
  expect(roles(chosen)).toEqual(["text ignored", "number target", "number target"]);
});

it("gives a target a kind that can be predicted, and takes the role from one that cannot stand beside it", () => {
  const chosen = withColumn(columns, facts("note", "category", "text"), { role: "target" });
  expect(roles(chosen)).toEqual(["category target", "number feature", "number feature"]);
});

it("changes nothing else", () => {
  const chosen = withColumn(columns, facts("size", "number", "text"), { role: "ignored" });
  expect(chosen).toEqual([columns[0], { name: "size", kind: "number", role: "ignored" }, columns[2]]);
});
