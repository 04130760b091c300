import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { RunFeed } from "@/live/feed";
import { LogPanel } from "./LogPanel";

afterEach(cleanup);

it("stops following its end however the reader scrolls up, and goes on at the end", () => {
  const feed = new RunFeed("r");
  for (let seq = 1; seq <= 100; seq++)
    feed.view.take({ run: "r", seq, at: 0, kind: "log", level: "info", message: `line ${seq}` });
  render(
    <MantineProvider env="test">
      <LogPanel feed={feed} />
    </MantineProvider>,
  );
  const host = screen.getByRole("region");
  const follow = screen.getByRole("switch") as HTMLInputElement;
  const size = (name: string, value: number) => Object.defineProperty(host, name, { value, configurable: true });
  size("scrollHeight", 2_000);
  size("clientHeight", 400);
  const scroll = (top: number) => {
    host.scrollTop = top;
    fireEvent.scroll(host);
  };
  scroll(1_600);
  expect(follow.checked).toBe(true);
  scroll(1_000);
  expect(follow.checked).toBe(false);
  scroll(1_200);
  expect(follow.checked).toBe(false);
  scroll(1_590);
  expect(follow.checked).toBe(true);
  // More lines: the end is farther away, and nobody has scrolled up.
  size("scrollHeight", 3_000);
  scroll(1_600);
  expect(follow.checked).toBe(true);
});
