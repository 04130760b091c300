import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { finishTyping, followTyping, isTextField, isUnfinished } from "./typing";

const field = (type = "text"): HTMLInputElement => {
  const made = document.createElement("input");
  made.type = type;
  document.body.append(made);
  return made;
};
const type = (input: HTMLInputElement, value: string) => {
  input.dispatchEvent(new Event("beforeinput", { bubbles: true }));
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};
const press = (input: HTMLInputElement, key: string) =>
  input.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));

describe("text that was typed", () => {
  let stop = () => {};
  beforeEach(() => {
    stop = followTyping();
  });
  afterEach(() => {
    stop();
    finishTyping();
    document.body.replaceChildren();
  });

  it("is unfinished until Enter, and again when more is typed", () => {
    const input = field();
    expect(isUnfinished(input)).toBe(false);
    type(input, "64");
    expect(isUnfinished(input)).toBe(true);
    press(input, "Enter");
    expect(isUnfinished(input)).toBe(false);
    type(input, "640");
    expect(isUnfinished(input)).toBe(true);
  });

  it("is finished when it is as it was, and when the document was undone under it", () => {
    const input = field();
    type(input, "6");
    type(input, "");
    expect(isUnfinished(input)).toBe(false);
    type(input, "6");
    finishTyping();
    input.value = "32";
    expect(isUnfinished(input)).toBe(false);
  });

  it("stands in text fields only", () => {
    expect(["checkbox", "radio", "range"].map((kind) => isTextField(field(kind)))).toEqual([false, false, false]);
    const choice = field();
    choice.readOnly = true;
    expect(isTextField(choice)).toBe(false);
    expect(isTextField(document.createElement("button"))).toBe(false);
  });
});
