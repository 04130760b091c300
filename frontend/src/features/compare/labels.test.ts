import { expect, it } from "vitest";
import { runLabels } from "./labels";

it("adds an id only to names that several runs share", () => {
  const runs = [
    { id: "oaegrtr7", name: "CNN" },
    { id: "q63kupiu", name: "CNN" },
    { id: "asj5p5ws", name: "MLP" },
  ];
  expect(runLabels(runs)).toEqual(["CNN · oaeg", "CNN · q63k", "MLP"]);
});
