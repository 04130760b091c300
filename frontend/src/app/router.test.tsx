import { MantineProvider } from "@mantine/core";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pages } from "./router";

/** The code of two pages, which arrives when the test wants it to. */
const code = vi.hoisted(() => {
  const answers: Record<string, { give: () => void; fail: () => void; come: Promise<void> }> = {};
  for (const page of ["runs", "data"]) {
    let give = () => {};
    let fail = () => {};
    const come = new Promise<void>((resolve, reject) => {
      give = resolve;
      fail = () => reject(new Error("the code did not arrive"));
    });
    answers[page] = { give, fail, come };
  }
  return answers as { runs: (typeof answers)[string]; data: (typeof answers)[string] };
});
vi.mock("@/pages/EditorPage", () => ({ EditorPage: () => <h1>The editor</h1> }));
vi.mock("@/pages/RunsPage", async () => {
  await code.runs.come;
  return { RunsPage: () => <h1>All runs</h1> };
});
vi.mock("@/pages/DataPage", async () => {
  await code.data.come;
  return { DataPage: () => <h1>All data</h1> };
});
vi.mock("@/pages/ComparePage", () => ({
  ComparePage: () => {
    throw new Error("broken");
  },
}));

const title = () => screen.queryByRole("heading", { level: 1 })?.textContent;
const follow = (name: string) => fireEvent.click(screen.getByRole("link", { name }));

describe("the pages", () => {
  beforeEach(async () => {
    history.replaceState(null, "", "/");
    render(
      <MantineProvider env="test">
        <Pages />
      </MantineProvider>,
    );
    expect(await screen.findByText("The editor")).toBeTruthy();
  });
  afterEach(cleanup);

  it("keep the one before until the code of the next has arrived, and say that it comes", async () => {
    follow("Runs");
    expect(location.pathname).toBe("/runs");
    expect(await screen.findByRole("progressbar")).toBeTruthy();
    expect(title()).toBe("The editor");
    expect(screen.getByRole("link", { current: "page" }).textContent).toBe("Editor");
    await act(async () => code.runs.give());
    expect(await screen.findByText("All runs")).toBeTruthy();
    expect(screen.queryByRole("progressbar")).toBeNull();
    expect(screen.getByRole("link", { current: "page" }).textContent).toBe("Runs");
  });

  it("leave one whose code does not arrive", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    follow("Data");
    await act(async () => code.data.fail());
    expect((await screen.findByRole("alert")).textContent).toContain("Reload the page");
    follow("Editor");
    expect(await screen.findByText("The editor")).toBeTruthy();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("leave one that breaks, by the browser's button too", async () => {
    vi.spyOn(console, "error").mockImplementation(() => {});
    act(() => history.pushState(null, "", "/compare"));
    expect((await screen.findByRole("alert")).textContent).toContain("broken");
    act(() => history.replaceState(null, "", "/"));
    expect(await screen.findByText("The editor")).toBeTruthy();
  });

  it("take a link to where one is for no new place", async () => {
    const before = history.length;
    follow("Editor");
    expect(history.length).toBe(before);
    act(() => history.pushState(null, "", "/nowhere"));
    expect(await screen.findByText("There is no such page")).toBeTruthy();
    expect(history.length).toBe(before + 1);
  });
});
