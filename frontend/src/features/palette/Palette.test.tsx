import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { ReactFlowProvider } from "@xyflow/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { catalogueQuery, queryClient } from "@/api/queries";
import { digits, MAIN } from "@/model/example.test-data";
import { currentDoc, useDocument } from "@/model/store";
import { enterMain } from "@/model/view";
import { Palette } from "./Palette";

const before = digits().blocks[MAIN]?.forward.nodes.length ?? 0;
const added = () => (currentDoc().blocks[MAIN]?.forward.nodes.length ?? 0) - before;
const entry = () => document.querySelector<HTMLElement>("[data-palette='container:sequential']") as HTMLElement;

describe("an entry of the palette", () => {
  beforeEach(() => {
    queryClient.setQueryData(catalogueQuery.queryKey, { layers: [], operations: [], initializers: [] } as never);
    useDocument.getState().open(digits());
    enterMain(digits());
    render(
      <MantineProvider env="test">
        <QueryClientProvider client={queryClient}>
          <ReactFlowProvider>
            <Palette onFold={() => undefined} />
          </ReactFlowProvider>
        </QueryClientProvider>
      </MantineProvider>,
    );
  });
  afterEach(cleanup);

  it("is added by a click, and once by a double click", () => {
    fireEvent.click(entry(), { detail: 1 });
    expect(added()).toBe(1);
    fireEvent.click(entry(), { detail: 2 });
    expect(added()).toBe(1);
  });

  it("has a field to search with that is named in full", () => {
    expect(screen.getByLabelText("Search layers and operations")).toBeDefined();
  });
});
