import type { ColumnFacts, DatasetDetails, Reading } from "@/api/types";

export type Column = Reading["columns"][number];
export type ColumnKind = Column["kind"];

/** How a data set is read, with every column of it named. */
export function readingOf({ reading, columns }: DatasetDetails): Reading {
  return {
    ...reading,
    columns: columns.filter((column) => column.kinds.length > 0).map(({ name, kind, role }) => ({ name, kind, role })),
  };
}

/** Whether some column is a feature of that kind. */
export function isRead(reading: Reading, kind: ColumnKind): boolean {
  return reading.columns.some((column) => column.kind === kind && column.role === "feature");
}

export function sameReading(one: Reading, other: Reading): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * The same with one column changed. A target is a number or a category, and becomes one where it can; only numbers can be
 * predicted together, so another target becomes a feature beside it.
 */
export function withColumn(chosen: Column[], facts: ColumnFacts, change: Partial<Column>): Column[] {
  const before = chosen.find((column) => column.name === facts.name);
  if (before === undefined) return chosen;
  const next = { ...before, ...change };
  if (next.role === "target" && next.kind !== "number" && next.kind !== "category") {
    next.kind = facts.kinds.find((one) => one === "category" || one === "number") ?? next.kind;
  }
  return chosen.map((column) => {
    if (column.name === facts.name) return next;
    const together = next.role !== "target" || (next.kind === "number" && column.kind === "number");
    return column.role === "target" && !together ? { ...column, role: "feature" } : column;
  });
}
