import { describe, expect, it } from "vitest";
import type { Element } from "@/api/types";
import { parted, runnable } from "./HelpDialog";

const element = (tag: Element["tag"], ...content: Element["content"]): Element => ({ tag, attributes: {}, content });

describe("an example that is copied", () => {
  it("has neither prompts nor what it prints", () => {
    const shown = [element("pre", ">>> for i in range(2):\n...     print(i)\n0\n1\n>>>\n>>> x = 1"), "prose"];
    expect(runnable(shown)).toBe("for i in range(2):\n    print(i)\n\nx = 1");
  });
  it("is taken as it is where it has no prompts", () => {
    expect(runnable([element("pre", "x = 1\nif x:\n    y = 2")])).toBe("x = 1\nif x:\n    y = 2");
  });
});

describe("the first paragraph", () => {
  const more = element("p", "More.");
  it("takes the formula with it that it announces", () => {
    const [says, formula] = [element("p", "It is:"), element("math", "x")];
    expect(parted([says, formula, more])).toEqual({ lead: [says, formula], rest: [more] });
  });
  it("stands alone otherwise", () => {
    const says = element("p", "It is.");
    expect(parted([says, more])).toEqual({ lead: [says], rest: [more] });
  });
});
