import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { DatasetEntry } from "@/api/types";
import { block, network } from "@/model/example.test-data";
import { DatasetField } from "./DatasetField";

afterEach(cleanup);

const ENTRY = { name: "iris", label: "Iris", task: "classification", shape: [4], dtype: "float32", classes: [] };

function show(...inputs: string[]) {
  const entry = { ...ENTRY, summary: "", samples: 9, available: true, uploaded: false } as unknown as DatasetEntry;
  const document = network(block([], [], null, inputs));
  render(
    <MantineProvider env="test">
      <DatasetField
        entries={[entry]}
        document={document}
        unjudged={false}
        value="iris"
        onChange={() => {}}
        error={undefined}
      />
    </MantineProvider>,
  );
}

it("leads a network of several inputs to an upload that feeds them", () => {
  show("image", "mask");
  expect(screen.getByRole("alert").textContent).toContain("(image, mask)");
  expect(screen.getByRole("link", { name: "Upload data" }).getAttribute("href")).toBe("/data");
  cleanup();
  show("x");
  expect(screen.queryByRole("link")).toBeNull();
});
