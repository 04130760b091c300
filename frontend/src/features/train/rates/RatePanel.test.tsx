import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { RateSearch } from "@/api/types";
import { setLanguage } from "@/i18n";
import { RatePanel } from "./RatePanel";

const RUNNING = { id: "s1", state: "running", message: "", steps: 100, problems: [], suggestion: null };

beforeEach(() => {
  Element.prototype.scrollIntoView = vi.fn();
});
afterEach(async () => {
  cleanup();
  await setLanguage("en");
});

/** The panel of a search that has done so many steps. */
function show(done: number) {
  const column = Array.from({ length: done }, () => 1);
  const report = { ...RUNNING, rates: column, losses: column, smoothed: column } as RateSearch;
  const quiet = { error: null, refusal: null, start: vi.fn(), stop: vi.fn(), forgive: vi.fn() };
  const onClose = vi.fn();
  render(
    <MantineProvider env="test">
      <RatePanel search={{ state: "there", report, ...quiet }} onUse={vi.fn()} onClose={onClose} />
    </MantineProvider>,
  );
  return onClose;
}

it.each([
  ["en", "Step 1 of at most 100…", "Preparing the data…", "Cancel"],
  ["zh", "第 1 步，最多 100 步…", "正在准备数据…", "取消"],
] as const)("shows in %s how far a search is, and cancels it", async (language, running, preparing, cancel) => {
  await setLanguage(language);
  show(0);
  expect(screen.getByRole("status").textContent).toBe(preparing);
  cleanup();
  const onClose = show(1);
  expect(screen.getByRole("status").textContent).toBe(running);
  expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("1");
  fireEvent.click(screen.getByRole("button", { name: cancel }));
  expect(onClose).toHaveBeenCalledOnce();
});
