import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import { catalogueQuery, queryClient } from "@/api/queries";
import { useCanvas } from "@/features/canvas/state";
import { HelpDialog } from "./HelpDialog";

const ENTRY = { name: "torch.nn.Conv2d", label: "Conv2d", category: "convolution", parameters: [], link: "" };
const CATALOGUE = {
  layers: [ENTRY],
  operations: [],
  initializers: [],
  optimizers: [],
  schedulers: [],
  losses: [],
  metrics: [],
};

describe("a help card", () => {
  afterEach(() => {
    cleanup();
    queryClient.clear();
    useCanvas.setState({ help: null });
  });

  it("gives the keyboard back, also when it was asked for before it had arrived", async () => {
    queryClient.setQueryData(catalogueQuery.queryKey, CATALOGUE as never);
    vi.spyOn(api, "GET").mockReturnValue(new Promise(() => {}));
    const page = (arrived: boolean) => (
      <MantineProvider env="test">
        <QueryClientProvider client={queryClient}>
          <input aria-label="kernel_size" />
          {arrived && <HelpDialog />}
        </QueryClientProvider>
      </MantineProvider>
    );
    const { rerender } = render(page(false));
    const field = screen.getByLabelText("kernel_size");
    field.focus();
    useCanvas.setState({ help: { name: ENTRY.name } });
    rerender(page(true));
    const close = await screen.findByLabelText("Close");
    await waitFor(() => expect(document.activeElement).toBe(close));
    fireEvent.keyDown(close, { key: "Escape" });
    await waitFor(() => expect(document.activeElement).toBe(field));
  });
});
