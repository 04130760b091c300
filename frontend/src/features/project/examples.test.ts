import { expect, it } from "vitest";
import type { Example } from "@/api/types";
import { text } from "@/i18n";
import { emptyDocument } from "@/model/normalise";
import { found, shapesOf, wordsOf } from "./examples";
import { neighbour } from "./roam";

const { families } = text().editor.project;

const example = (id: string, family: Example["family"], title: string, zh: string, outputs = [[10]]): Example => ({
  id,
  family,
  title,
  summary: "A network.",
  zh: { title: zh, summary: "一个网络。" },
  plan: { dataset: "digits" } as Example["plan"],
  outputs,
  parameters: 1,
  document: emptyDocument(title) as unknown as Example["document"],
});

const GPT = example("gpt-small", "sequences", "GPT, small", "小型 GPT", [[48, 32]]);
const CNN = example("digits-cnn", "images", "Digits CNN", "数字 CNN");
const VAE = example("vae", "generative", "Variational autoencoder", "变分自编码器", [[1, 8, 8], [1]]);
const ALL = [GPT, VAE, CNN];
const search = (query: string) => found(ALL, query, families).map(({ id }) => id);

it("finds examples by words of either language, in the order of the families", () => {
  expect(search("")).toEqual(["digits-cnn", "gpt-small", "vae"]);
  expect(search("  network ")).toEqual(["digits-cnn", "gpt-small", "vae"]);
  expect(search("small gpt")).toEqual(["gpt-small"]);
  expect(search("编码")).toEqual(["vae"]);
  expect(search(families.images)).toEqual(["digits-cnn"]);
  expect(search("gpt digits")).toEqual([]);
});

it("tells what goes in and out, and the name in the language of the page", () => {
  expect(shapesOf(VAE)).toEqual({ given: "1×8×8", returned: "1×8×8, 1" });
  expect(wordsOf(GPT, "en").title).toBe("GPT, small");
  expect(wordsOf(GPT, "zh").title).toBe("小型 GPT");
});

it("goes from card to card as they lie on the screen", () => {
  // Two rows of a family, and one of the next: a b / c // d e
  const cards = [
    [0, 0],
    [100, 0],
    [0, 50],
    [0, 140],
    [100, 140],
  ].map(([left = 0, top = 0]) => {
    const card = document.createElement("button");
    card.getBoundingClientRect = () => new DOMRect(left, top, 90, 40);
    return card;
  });
  const [a, b, c, d, e] = cards as unknown as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  const go = (from: HTMLElement, key: string) => neighbour(cards, from, key);
  expect([go(a, "ArrowRight"), go(b, "ArrowRight"), go(e, "ArrowRight")]).toEqual([b, c, e]);
  expect([go(b, "ArrowDown"), go(c, "ArrowDown"), go(d, "ArrowDown")]).toEqual([c, d, d]);
  expect([go(e, "ArrowUp"), go(c, "ArrowUp")]).toEqual([c, a]);
  // Above the first row, and before the first card, lies the search field.
  expect([go(b, "ArrowUp"), go(a, "ArrowLeft")]).toEqual([undefined, undefined]);
  expect([go(e, "Home"), go(a, "End")]).toEqual([a, e]);
  expect(go(a, "x")).toBeNull();
});
