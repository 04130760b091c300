import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { queryClient, runsQuery } from "@/api/queries";
import { run } from "@/features/runs/run.test-data";
import { RunsPage } from "./RunsPage";

describe("the runs page", () => {
  beforeEach(() => {
    vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}));
    const items = ["cnn", "mlp"].map((name) => run({ id: name, name }));
    queryClient.setQueryData(runsQuery.queryKey, { items, total: 2 } as never);
    render(
      <MantineProvider env="test">
        <QueryClientProvider client={queryClient}>
          <RunsPage />
        </QueryClientProvider>
      </MantineProvider>,
    );
  });
  afterEach(() => {
    cleanup();
    queryClient.clear();
  });

  it("shows the columns that are wanted, and remembers them", async () => {
    const headers = () => screen.getAllByRole("columnheader").map((cell) => cell.getAttribute("data-column"));
    expect(headers()).toContain("model");
    fireEvent.click(screen.getByRole("button", { name: "Choose columns" }));
    fireEvent.click(await screen.findByRole("menuitemcheckbox", { name: "Model" }));
    expect(headers()).not.toContain("model");
    expect(localStorage.getItem("layerloom.runs.columns")).toContain("model");
    fireEvent.click(screen.getByRole("menuitemcheckbox", { name: "Model" }));
    expect(headers()).toContain("model");
  });

  it("deletes no selected run that the filter hides", async () => {
    fireEvent.click(screen.getByLabelText("Select all"));
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "mlp" } });
    expect(screen.getByText(/2 selected, 1 of them hidden/)).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    const dialog = await screen.findByRole("dialog");
    expect(
      within(dialog)
        .getAllByRole("listitem")
        .map((item) => item.textContent),
    ).toEqual(["mlp"]);
  });
});
