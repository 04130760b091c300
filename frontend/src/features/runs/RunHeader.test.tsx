import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { formatsQuery } from "@/api/exports";
import { queryClient } from "@/api/queries";
import type { Run } from "@/api/types";
import { DownloadMenu } from "@/features/download/DownloadMenu";
import { setLanguage } from "@/i18n";
import { RunFeed } from "@/live/feed";
import { Failure } from "./Failure";
import { RunHeader } from "./RunHeader";
import { run } from "./run.test-data";

function show(part: Partial<Run>) {
  const [one, feed] = [run(part), new RunFeed("r")];
  queryClient.setQueryData(formatsQuery.queryKey, []);
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queryClient}>
        <RunHeader run={one} feed={feed}>
          <DownloadMenu run={one} feed={feed} />
        </RunHeader>
        <Failure run={one} feed={feed} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { one, feed };
}

const REFUSED = {
  state: "failed",
  step: 0,
  steps: 0,
  epoch: 0,
  epochs: 0,
  problem: { code: "plan_invalid", severity: "error", message: "There is no such series." },
} as Partial<Run>;

describe("the head of a run", () => {
  afterEach(async () => {
    cleanup();
    await setLanguage("en");
  });

  it("stops it only after it was asked", async () => {
    const post = vi.spyOn(api, "POST").mockReturnValue(new Promise(() => {}));
    show({ state: "running" });
    fireEvent.click(screen.getByRole("button", { name: "Stop" }));
    expect(post).not.toHaveBeenCalled();
    fireEvent.click(await screen.findByRole("button", { name: "Keep training" }));
    fireEvent.click(screen.getByRole("button", { name: "Stop" }));
    fireEvent.click(await screen.findByTestId("confirm-stop"));
    await vi.waitFor(() => expect(post).toHaveBeenCalledTimes(1));
    expect(post.mock.calls[0]?.[0]).toBe("/api/runs/{run_id}/stop");
  });

  it("says nothing of the progress of a run that never began", () => {
    show(REFUSED);
    expect(screen.queryByText(/Epoch 0/)).toBeNull();
    expect(screen.queryByRole("progressbar")).toBeNull();
    cleanup();
    show({});
    expect(screen.getByText("Epoch 1 of 1")).toBeTruthy();
  });

  it("says beside the field of its name what is typed there", () => {
    show({});
    fireEvent.click(screen.getByRole("button", { name: "Rename Digits CNN" }));
    const label = screen.getByText("Name of the run", { selector: "label" });
    expect(screen.getByLabelText("Name of the run")).toBe(document.activeElement);
    expect(label.getAttribute("for")).toBe(document.activeElement?.id);
  });

  it("tells what it was forked from, and at which step", async () => {
    const part = { forked_from: { run: "o", name: "Teacher", step: 40 } };
    show(part);
    expect(document.body.textContent).toContain("forked from Teacher at step 40");
    expect(screen.getByRole("link", { name: "Teacher" }).getAttribute("href")).toBe("/runs/o");
    cleanup();
    await setLanguage("zh");
    show(part);
    expect(document.body.textContent).toContain("派生自 Teacher 的第 40 步");
  });

  it("offers no weights where none were saved", async () => {
    show(REFUSED);
    fireEvent.click(screen.getByRole("button", { name: "Download" }));
    const item = await screen.findByRole("menuitem", { name: "This run saved no checkpoint." });
    expect((item as HTMLButtonElement).disabled).toBe(true);
  });

  it("tells why it failed in the reader's language, then in the service's words, and folds the traceback", async () => {
    await setLanguage("zh");
    const { one, feed } = show(REFUSED);
    const alert = screen.getByRole("alert").textContent ?? "";
    expect(alert.indexOf("训练计划不可用")).toBeLessThan(alert.indexOf("There is no such series."));
    cleanup();
    const problem = { code: "trainer_failed", severity: "error", message: "KeyError" } as never;
    feed.view.take({ run: "r", seq: 1, at: 0, kind: "problem", problem, traceback: "Traceback (most recent" });
    render(
      <MantineProvider env="test">
        <Failure run={one} feed={feed} />
      </MantineProvider>,
    );
    expect(document.querySelector("details")?.open).toBe(false);
  });
});
