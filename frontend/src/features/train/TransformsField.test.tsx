import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { queryClient } from "@/api/queries";
import type { DatasetEntry, Entry, Transform } from "@/api/types";
import { DEFAULTS, type Settings } from "./settings";
import { TransformsField } from "./TransformsField";

afterEach(() => {
  cleanup();
  queryClient.clear();
});

const entry = (label: string, category: string) =>
  ({ name: `v2.${label}`, label, category, summary: "", parameters: [] }) as unknown as Entry;
const ENTRIES = [entry("Resize", "preprocessing"), entry("RandomCrop", "augmentation")];
const IMAGES = { name: "digits", shape: [1, 8, 8], dtype: "float32", available: true } as unknown as DatasetEntry;
const chosen = (label: string): Transform => ({ name: `v2.${label}`, arguments: {}, use: null, draws: "image" });

function show(transforms: Transform[]) {
  let latest: Settings = { ...DEFAULTS, transforms };
  function Host() {
    const [settings, setSettings] = useState(latest);
    latest = settings;
    const change = (part: Partial<Settings>) => setSettings({ ...settings, ...part });
    return (
      <TransformsField entries={ENTRIES} dataset={IMAGES} settings={settings} onChange={change} refused={new Map()} />
    );
  }
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queryClient}>
        <Host />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return () => latest.transforms;
}

it("orders and removes, and says of each what it is for", () => {
  vi.spyOn(api, "POST").mockReturnValue(new Promise(() => {}));
  const now = show([chosen("Resize"), chosen("RandomCrop")]);
  fireEvent.click(screen.getByRole("button", { name: "Move RandomCrop up" }));
  expect(now().map(({ name }) => name)).toEqual(["v2.RandomCrop", "v2.Resize"]);
  expect(screen.queryAllByLabelText("What RandomCrop is used for")).toEqual([]);
  expect(screen.getByDisplayValue("For both")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Remove RandomCrop" }));
  expect(now()).toEqual([chosen("Resize")]);
});

it("shows why images cannot be transformed", async () => {
  const problem = { path: "/plan/transforms/0", code: "plan_invalid", message: "Resize refuses", problem: null };
  vi.spyOn(api, "POST").mockRejectedValue(new ApiError(422, { errors: [problem] } as never));
  show([chosen("Resize")]);
  expect((await screen.findByRole("alert")).textContent).toBe("Resize refuses");
});
