import { describe, expect, it } from "vitest";
import { type Phrasebook, reader } from "./phrases";
import { translate } from "./zh/phrases";
import { checking } from "./zh/phrases/checking";
import { data } from "./zh/phrases/data";
import { importing } from "./zh/phrases/importing";
import { networks } from "./zh/phrases/networks";
import { service } from "./zh/phrases/service";
import { training } from "./zh/phrases/training";

const book: Phrasebook = {
  phrases: {
    "{} needs a value for {}.": "{}{1}.",
    "nothing is connected to {}.": "NICHTS AN {}.",
    "{} cannot run on {}: {}": "{1} GEHT NICHT IN {0}: {2}",
    "there is no {} {}.": "KEIN {:word} {}.",
    "{} is no {}.": "{} KEIN {}.",
    " Remove one of the connections.": "EINE LÖSEN.",
    "the result of {} is not used{}.": "{} UNGENUTZT {}.",
    ", nor is what {} before it": " UND {} DAVOR",
    "the disk is full": "VOLL",
  },
  words: { layer: "LAGE" },
  marks: { ".": ".", ",": "," },
};
const read = reader(book);

describe("what the service says", () => {
  it("is known by what stands around its values", () => {
    expect(read("nothing is connected to fc.weight.")).toBe("NICHTS AN fc.weight.");
    expect(read("Nothing is connected to x.")).toBe("NICHTS AN x.");
    expect(read("nothing is connected to x")).toBe("NICHTS AN x");
    expect(read("nothing was connected to x.")).toBeNull();
  });

  it("has its values in another order, and words of the service's own translated", () => {
    expect(read("fc cannot run on 3 × 4: mat1 and mat2 cannot be multiplied")).toBe(
      "3 × 4 GEHT NICHT IN fc: mat1 and mat2 cannot be multiplied",
    );
    expect(read("there is no layer layer.")).toBe("KEIN LAGE layer.");
    expect(read("there is no branch layer.")).toBe("KEIN branch layer.");
  });

  it("holds sentences within sentences, and follows others", () => {
    expect(read("the result of a is not used, nor is what b before it.")).toBe("a UNGENUTZT UND b DAVOR.");
    expect(read("Nothing is connected to x. Remove one of the connections.")).toBe("NICHTS AN x. EINE LÖSEN.");
    expect(read("fc cannot run on 3: the disk is full")).toBe("3 GEHT NICHT IN fc: VOLL");
  });

  it("keeps in English the sentence that is not known, and only that", () => {
    expect(read("Nothing is connected to x. Water the plants now.")).toBe("NICHTS AN x. Water the plants now.");
    expect(read("Water the plants now. And then the trees.")).toBeNull();
  });

  it("takes a value that looks like a pattern, a hole or a sentence as it is", () => {
    expect(read("nothing is connected to a.*(b){}.")).toBe("NICHTS AN a.*(b){}.");
    expect(read("nothing is connected to $&.")).toBe("NICHTS AN $&.");
    expect(read("")).toBeNull();
    expect(read("fc cannot run on x: a. b. c.")).toBe("x GEHT NICHT IN fc: a. b. c.");
  });
});

const HOLES = /\{(\d*)(:word)?\}/g;
const rooms = { checking, data, importing, networks, service, training };
const all = Object.entries(rooms).flatMap(([room, texts]) =>
  Object.entries(texts).map(([english, chinese]) => [room, english, chinese] as const),
);

describe("in Chinese", () => {
  it("every phrase has the holes of the English one, none twice", () => {
    const wrong = all.filter(([, english, chinese]) => {
      const count = english.split("{}").length - 1;
      const holes = [...chinese.matchAll(HOLES)].map(([, number], index) => (number ? Number(number) : index));
      const mixed = new Set([...chinese.matchAll(HOLES)].map(([, number]) => number === "")).size > 1;
      return mixed || new Set(holes).size < holes.length || holes.some((hole) => hole >= count);
    });
    expect(wrong).toEqual([]);
  });

  it("every sentence is Chinese", () => {
    const untranslated = all.filter(
      ([, english, chinese]) => /[a-z]{2,} [a-z]{2,} [a-z]{2,}/.test(english) && !/\p{Script=Han}/u.test(chinese),
    );
    expect(untranslated).toEqual([]);
  });

  it("every phrase is found again by its English", () => {
    const value = (index: number) => `w${index}`;
    const wrong = all.flatMap(([, english, chinese]) => {
      let count = 0;
      const said = english.trim().replaceAll(/(\.?)\{\}/g, (_, stop) => `${stop && ". "}${value(count++)}`);
      let next = 0;
      const meant = chinese.trim().replace(HOLES, (_, number) => value(number === "" ? next++ : Number(number)));
      const found = translate(said);
      return found?.replace(/[。：；，]$/, "") === meant.replace(/[。：；，]$/, "") ? [] : [[said, found, meant]];
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ["Set in_features to 25088", "将 in_features 设为 25088"],
    ["Flatten the input to 512 features and set in_features", "将输入展平为 512 个特征，并设置 in_features"],
    ["Flatten the input to 512 features", "将输入展平为 512 个特征"],
    ["Use torch.nn.Conv2d", "改用 torch.nn.Conv2d"],
    ["Pad it to 9 × 8", "填充到 9 × 8"],
    ["Set num_channels to 6 and num_groups to 3", "将 num_channels 设为 6，将 num_groups 设为 3"],
    ["Move the channels to the front: permute(0, 3, 1, 2)", "将通道移到前面：permute(0, 3, 1, 2)"],
  ])("a mend says %s", (title, chinese) => {
    expect(translate(title)).toBe(chinese);
  });
});
