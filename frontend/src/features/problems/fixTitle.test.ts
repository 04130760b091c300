import { describe, expect, it } from "vitest";
import { en } from "@/i18n/en";
import { zh } from "@/i18n/zh";
import { fixTitle } from "./fixTitle";

const TITLES = [
  ["Set in_features to 25088", "将 in_features 设为 25088"],
  ["Flatten the input to 512 features and set in_features", "将输入展平为 512 个特征，并设置 in_features"],
  ["Flatten the input to 512 features", "将输入展平为 512 个特征"],
  ["Make the input x int64", "将输入 x 改为 int64"],
  ["Make Cell the main block", "将 Cell 设为主模块"],
  ["Use it for weights only", "仅用于权重"],
  ["Use torch.nn.Conv2d", "改用 torch.nn.Conv2d"],
];

describe("a mend's title", () => {
  it.each(TITLES)("%s is known again", (title, chinese) => {
    expect(fixTitle(title ?? "", zh)).toBe(chinese);
    expect(fixTitle(title ?? "", en)).toBe(title);
  });

  it("stays as it is where its words are new", () => {
    expect(fixTitle("Water the plants", zh)).toBe("Water the plants");
  });
});
