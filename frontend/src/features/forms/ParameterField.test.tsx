import { MantineProvider } from "@mantine/core";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Kind, ParameterSpec, Value } from "@/api/types";
import { ParameterField } from "./ParameterField";

function spec(part: Partial<ParameterSpec> & { kinds: Kind[] }): ParameterSpec {
  return {
    name: "size",
    required: false,
    default: null,
    nullable: false,
    choices: [],
    length: null,
    variadic: false,
    keyword: false,
    auto: false,
    minimum: null,
    doc: "",
    ...part,
  };
}

function show(of: ParameterSpec, value?: Value, more: { expressions?: boolean; resolved?: number } = {}) {
  const onChange = vi.fn();
  render(
    <MantineProvider env="test">
      <ParameterField spec={of} value={value} onChange={onChange} {...more} />
    </MantineProvider>,
  );
  return onChange;
}

/** A field whose owner keeps the value, and can put another one in its place, as an undo does. */
function keep(of: ParameterSpec, start: Value | undefined) {
  const held: { value: Value | undefined; put: (value: Value | undefined) => void } = { value: start, put: () => {} };
  function Owner() {
    const [value, setValue] = useState(start);
    held.value = value;
    held.put = (next) => act(() => setValue(next));
    return (
      <MantineProvider env="test">
        <ParameterField spec={of} value={value} onChange={setValue} />
      </MantineProvider>
    );
  }
  render(<Owner />);
  return held;
}

const field = () => screen.getByLabelText("size") as HTMLInputElement;
const type = (text: string) => fireEvent.change(field(), { target: { value: text } });

describe("ParameterField", () => {
  afterEach(cleanup);

  it("shows the default and hands on a whole number", () => {
    const onChange = show(spec({ kinds: ["int"], default: 16, minimum: 1 }));
    expect(field().value).toBe("16");
    type("32");
    expect(onChange).toHaveBeenLastCalledWith(32);
    type("16");
    expect(onChange).toHaveBeenLastCalledWith(undefined);
  });

  it("says what is wrong and hands nothing on", () => {
    const onChange = show(spec({ kinds: ["int"], default: 16, minimum: 1 }));
    for (const bad of ["1.5", "x", "0"]) type(bad);
    expect(onChange).not.toHaveBeenCalled();
    expect(screen.getByRole("alert").textContent).not.toBe("");
    expect(field().value).toBe("0");
  });

  it("takes floats in every spelling", () => {
    const onChange = show(spec({ kinds: ["float"], default: 0.001 }));
    type("1e-4");
    expect(onChange).toHaveBeenLastCalledWith(0.0001);
    type("inf");
    expect(onChange).toHaveBeenLastCalledWith({ $float: "inf" });
  });

  it("marks a changed value and resets it", () => {
    const onChange = show(spec({ kinds: ["float"], default: 0.001 }), 0.1);
    expect(document.querySelector("[data-changed]")).not.toBeNull();
    fireEvent.click(screen.getByRole("button", { name: /reset/i }));
    expect(onChange).toHaveBeenLastCalledWith(undefined);
  });

  it("switches a size between one number and one for each axis", () => {
    const onChange = show(spec({ kinds: ["size"], default: 3, length: 2 }), 5);
    fireEvent.click(screen.getByRole("button", { name: /each axis/i }));
    expect(onChange).toHaveBeenLastCalledWith({ $tuple: [5, 5] });
    cleanup();
    const axes = show(spec({ kinds: ["size"], default: 3, length: 2 }), { $tuple: [5, 7] });
    fireEvent.change(screen.getByLabelText(/Axis 2/), { target: { value: "9" } });
    expect(axes).toHaveBeenLastCalledWith({ $tuple: [5, 9] });
    fireEvent.click(screen.getByRole("button", { name: /every axis/i }));
    expect(axes).toHaveBeenLastCalledWith(5);
  });

  it("shows what the check found for an automatic size", () => {
    show(spec({ kinds: ["int"], auto: true, required: true }), { $auto: true }, { resolved: 1024 });
    expect(screen.getByText("1024")).toBeTruthy();
  });

  it("goes on with the number that was automatic", async () => {
    const onChange = show(spec({ kinds: ["int"], auto: true, required: true }), { $auto: true }, { resolved: 1024 });
    fireEvent.click(screen.getByRole("button", { name: /size: kind/ }));
    fireEvent.click(await screen.findByRole("menuitem", { name: "int" }));
    expect(onChange).toHaveBeenLastCalledWith(1024);
  });

  it("edits an expression as text", () => {
    const onChange = show(spec({ kinds: ["int"], required: true }), { $expr: "width" }, { expressions: true });
    type("width * 2");
    expect(onChange).toHaveBeenLastCalledWith({ $expr: "width * 2" });
  });

  it("lets an optional number be emptied and typed anew", () => {
    const held = keep(spec({ kinds: ["int"], nullable: true }), 5);
    const input = field();
    act(() => input.focus());
    type("");
    expect(field()).toBe(input);
    type("7");
    expect(held.value).toBe(7);
    type("");
    act(() => input.blur());
    expect(screen.getByRole("button", { name: /None/ })).toBeTruthy();
  });

  it("follows an undo out of a mode that was chosen by hand", async () => {
    const held = keep(spec({ kinds: ["int"], nullable: true }), undefined);
    fireEvent.click(screen.getByRole("button", { name: /size: kind/ }));
    fireEvent.click(await screen.findByRole("menuitem", { name: "int" }));
    expect([held.value, field().value]).toEqual([1, "1"]);
    held.put(undefined);
    expect(screen.getByRole("button", { name: /None/ })).toBeTruthy();
  });

  it("drops the complaint together with what it was about", () => {
    keep(spec({ kinds: ["int"], default: 3, minimum: 1 }), 8);
    type("abc");
    expect(screen.getByRole("alert").textContent).not.toBe("");
    fireEvent.blur(field());
    expect([field().value, screen.queryByRole("alert")]).toEqual(["8", null]);
  });

  it("turns a flag", () => {
    const onChange = show(spec({ kinds: ["bool"], default: true }));
    fireEvent.click(screen.getByRole("switch"));
    expect(onChange).toHaveBeenLastCalledWith(false);
  });
});
