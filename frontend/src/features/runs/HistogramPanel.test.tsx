import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { RunFeed } from "@/live/feed";
import { HistogramPanel } from "./HistogramPanel";

afterEach(cleanup);

it("makes its picture when the data changes, not when the pointer moves", () => {
  const feed = new RunFeed("r");
  const items = [{ name: "fc.weight", of: "weight" as const, edges: [-1, 0, 1], counts: [1, 3] }];
  feed.view.take({ run: "r", seq: 1, at: 0, kind: "histograms", step: 5, items });
  const asked = vi.spyOn(feed.view.histograms, "of");
  render(
    <MantineProvider env="test">
      <HistogramPanel feed={feed} name="fc.weight" />
    </MantineProvider>,
  );
  const picture = screen.getByRole("img");
  vi.spyOn(picture, "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, 100, 100));
  const before = asked.mock.calls.length;
  for (let x = 0; x < 20; x++) fireEvent.pointerMove(picture, { clientX: x, clientY: 10 });
  expect(asked.mock.calls.length).toBe(before);
  expect(screen.getByText(/step 5 · value/)).toBeTruthy();
});
