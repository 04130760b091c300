import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { DatasetEntry, DatasetPreview } from "@/api/types";
import { Samples } from "./samples";

afterEach(cleanup);

function show(shape: number[], input: unknown, pictures: unknown[] = []) {
  const entry = { task: "regression", shape, classes: [] } as unknown as DatasetEntry;
  const preview = { inputs: [input], targets: [1], pictures, counts: {}, texts: [] } as unknown as DatasetPreview;
  render(
    <MantineProvider env="test">
      <Samples entry={entry} preview={preview} />
    </MantineProvider>,
  );
}

it("shows samples of any size", () => {
  const [height, width] = [400, 400];
  show([1, height, width], [], [{ shape: [1, height, width], low: 0, high: 1, pixels: btoa("a".repeat(160_000)) }]);
  expect(screen.getAllByRole("img")).toHaveLength(1);
  cleanup();
  show(
    [150_000, 1],
    Array.from({ length: 150_000 }, (_, step) => [step]),
  );
  expect(screen.getAllByRole("img")).toHaveLength(1);
});
