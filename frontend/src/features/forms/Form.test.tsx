import { MantineProvider } from "@mantine/core";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ParameterSpec, Value } from "@/api/types";
import { Form, NumberField, ParameterField } from ".";

const STEP_SIZE: ParameterSpec = {
  name: "step_size",
  kinds: ["int"],
  required: true,
  default: null,
  nullable: false,
  choices: [],
  length: null,
  variadic: false,
  keyword: false,
  auto: false,
  minimum: null,
  doc: "",
};

function show() {
  const sent = vi.fn();
  const held = { norm: null as number | null };
  function Owner() {
    const [epochs, setEpochs] = useState<number | null>(20);
    const [norm, setNorm] = useState<number | null>(null);
    const [size, setSize] = useState<Value | undefined>(undefined);
    held.norm = norm;
    return (
      <MantineProvider env="test">
        <Form onSend={() => sent(epochs, norm, size)} refusal={null}>
          <NumberField label="Epochs" value={epochs} onChange={setEpochs} required whole minimum={1} />
          <NumberField label="Clip" value={norm} onChange={setNorm} above={0} />
          <ParameterField spec={STEP_SIZE} value={size} onChange={setSize} />
          <button type="submit">Send</button>
        </Form>
      </MantineProvider>
    );
  }
  render(<Owner />);
  return { sent, held };
}

const field = (name: RegExp) => screen.getByLabelText(name) as HTMLInputElement;
const type = (name: RegExp, text: string) => fireEvent.change(field(name), { target: { value: text } });
const send = () => fireEvent.click(screen.getByRole("button", { name: "Send" }));

describe("a form of numbers", () => {
  afterEach(cleanup);

  it("keeps decimals while they are typed, letter by letter", () => {
    const { held } = show();
    for (const text of ["0", "0.", "0.5", "0.50"]) {
      type(/Clip/, text);
      expect(field(/Clip/).value).toBe(text);
    }
    fireEvent.blur(field(/Clip/));
    expect([held.norm, field(/Clip/).value]).toEqual([0.5, "0.5"]);
  });

  it("is not sent while a field is wrong or empty, and goes to the first of them", () => {
    const { sent } = show();
    type(/step_size/, "30");
    type(/Epochs/, "");
    fireEvent.blur(field(/Epochs/));
    type(/Clip/, "abc");
    fireEvent.blur(field(/Clip/));
    send();
    expect(sent).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(field(/Epochs/));
    expect([field(/Epochs/).value, field(/Clip/).value]).toEqual(["", "abc"]);
    type(/Epochs/, "3");
    type(/Clip/, "");
    send();
    expect(sent).toHaveBeenCalledWith(3, null, 30);
  });

  it("asks for arguments that must be given", () => {
    const { sent } = show();
    send();
    expect(sent).not.toHaveBeenCalled();
    expect(document.activeElement).toBe(field(/step_size/));
    expect(screen.getByRole("alert").textContent).toBe("Required");
    type(/step_size/, "4");
    send();
    expect(sent).toHaveBeenCalled();
    type(/step_size/, "");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("changes a number by the arrow keys, within its limits", () => {
    show();
    type(/Epochs/, "2");
    for (const key of ["ArrowDown", "ArrowDown", "ArrowDown"]) fireEvent.keyDown(field(/Epochs/), { key });
    expect(field(/Epochs/).value).toBe("1");
  });
});
