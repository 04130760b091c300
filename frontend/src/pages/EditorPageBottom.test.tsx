import { MantineProvider } from "@mantine/core";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { UnreachableError } from "@/api/errors";
import { useCheck } from "@/features/problems/check";
import { EditorPageBottom } from "./EditorPageBottom";

afterEach(cleanup);

it("shows on the tab that a check failed, though the panel is closed", () => {
  useCheck.setState({ report: null, pending: true, error: new UnreachableError(null) });
  render(
    <MantineProvider env="test">
      <EditorPageBottom />
    </MantineProvider>,
  );
  expect(screen.getByTestId("check-failed")).toBeTruthy();
});
