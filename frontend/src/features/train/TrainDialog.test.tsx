import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { MemoryRouter } from "react-router";
import { afterEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { catalogueQuery, datasetsQuery, queryClient } from "@/api/queries";
import { digits } from "@/model/example.test-data";
import { TrainDialog } from "./TrainDialog";

function show() {
  queryClient.setQueryData(catalogueQuery.queryKey, {
    optimizers: [],
    schedulers: [],
    losses: [],
    metrics: [],
  } as never);
  queryClient.setQueryData(datasetsQuery.queryKey, []);
  vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}));
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queryClient}>
        <MemoryRouter>
          <TrainDialog document={digits()} opened onClose={() => {}} />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

describe("a refused order", () => {
  afterEach(() => {
    cleanup();
    queryClient.clear();
  });

  it("unfolds the field that has to be mended", async () => {
    const errors = [{ path: "/plan/seed", code: "invalid_body", message: "seed is too large", problem: null } as const];
    vi.spyOn(api, "POST").mockRejectedValue(new ApiError(422, { code: "invalid_body", errors: [...errors] }));
    show();
    expect(screen.queryByLabelText("Seed")).toBeNull();
    fireEvent.click(await screen.findByTestId("start-run"));
    expect(await screen.findByText("seed is too large")).toBeTruthy();
    expect(screen.getByLabelText("Seed")).toBeTruthy();
  });
});
