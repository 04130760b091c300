import { describe, expect, it } from "vitest";
import { normalise } from "./normalise";

describe("a document with layers of one's own", () => {
  it("keeps their code when it is opened and saved", () => {
    const code = { Gate: { source: "class Gate(nn.Module): ..." } };
    expect(normalise({ main: "Net", blocks: { Net: {} }, code }).code).toEqual(code);
    expect(normalise({ main: "Net", blocks: { Net: {} } }).code).toEqual({});
  });
});
