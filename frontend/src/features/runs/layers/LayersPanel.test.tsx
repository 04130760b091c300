import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { EventOf } from "@/api/types";
import { RunFeed } from "@/live/feed";
import { LayersPanel } from "./LayersPanel";

afterEach(cleanup);

const at = (seq: number) => ({ run: "r", seq, at: 0 });
const gone = (seq: number, of: EventOf<"thinned">["of"]) => ({ ...at(seq), kind: "thinned" as const, of });

function notes(feed: RunFeed): string[] {
  const { container } = render(
    <MantineProvider env="test">
      <LayersPanel feed={feed} />
    </MantineProvider>,
  );
  return [...container.querySelectorAll<HTMLElement>("[data-thinned]")].map(({ textContent }) => textContent ?? "");
}

it("says what is gone, with or without anything left", () => {
  const feed = new RunFeed("r");
  expect(feed.view.take(gone(1, "images"))).toBe("images");
  expect(feed.view.take(gone(2, "activations"))).toBe("activations");
  expect(notes(feed)).toEqual([expect.stringContaining("2 entries are gone")]);
  expect(screen.getByRole("heading").textContent).toBe("What the layers gave is not kept any longer");
  cleanup();
  // Numbers of a layer are left, and no map of it.
  const numbers = { mean: [0], std: [1], zeros: [0], units: [4], dead: [0], nonfinite: [] };
  feed.view.take({ ...at(3), kind: "activations", step: 5, names: ["fc"], ...numbers });
  feed.view.take(gone(4, "images"));
  const [values, maps] = notes(feed);
  expect(values).toContain("One entry is gone");
  expect(maps).toContain("2 entries are gone");
});

it("has nothing to say where everything is kept", () => {
  const feed = new RunFeed("r");
  feed.view.take(gone(1, "log"));
  expect(notes(feed)).toEqual([]);
});
