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
  ["Set num_channels to 6 and num_groups to 3", "将 num_channels 设为 6，将 num_groups 设为 3"],
  ["Set batch_first to True", "将 batch_first 设为 True"],
  ["Set normalized_shape to [5, 8]", "将 normalized_shape 设为 [5, 8]"],
  ["Move the channels to the front: permute(0, 3, 1, 2)", "将通道移到前面：permute(0, 3, 1, 2)"],
  ["Move the features to the end: permute(0, 2, 1)", "将特征移到最后：permute(0, 2, 1)"],
  ["Add a channel axis", "添加通道轴"],
  ["Project the shortcut with a Conv2d", "用 Conv2d 投影捷径"],
  ["Pad it to 9 × 8", "填充到 9 × 8"],
  ["Crop it to 9 × 9", "裁剪到 9 × 9"],
  ["Resize it to the size of the other", "缩放到与另一个相同的大小"],
  ["Join along axis 1", "沿轴 1 连接"],
  ["Transpose the first factor", "转置第一个因子"],
  ["Transpose the second factor", "转置第二个因子"],
  ["Make it an output", "将它设为输出"],
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
