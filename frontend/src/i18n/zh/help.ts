import type { help as en } from "@/i18n/en/help";

export const help: typeof en = {
  menu: "帮助",
  tour: {
    label: "编辑器导览",
    step: (at, of) => `第 ${at} 步，共 ${of} 步`,
    back: "上一步",
    next: "下一步",
    done: "完成",
    skip: "跳过导览",
    stops: {
      palette: {
        title: "挑选一个层",
        text: "PyTorch 的所有层和运算都在这里。把它拖到画布或连线上，或按回车键添加到所选节点下方。",
      },
      canvas: {
        title: "连线并查看形状",
        text: "从一个节点下方的端口拖到另一个节点上方的端口。每条连线都标出流经它的张量形状；形状不匹配时连线变红，并说明原因。",
      },
      problems: {
        title: "一键修正问题",
        text: "问题都列在这里，大多数可以一键修正。旁边还有对应的 PyTorch 代码、全部形状和初始化方式。",
      },
      train: {
        title: "开始训练",
        text: "选好数据即可开始，曲线会随训练实时出现。训练结束后，可以下载权重，用在自己的代码里。",
      },
    },
  },
  card: {
    open: (label) => `帮助：${label}`,
    shape: "形状规则",
    description: "说明",
    arguments: "参数说明",
    attributes: "属性",
    returns: "返回值",
    notes: "注意事项",
    examples: "示例",
    copy: "复制示例",
    copied: "已复制",
    empty: "没有文档字符串",
    emptyHint: "类定义首行下方的文档字符串会显示在这里。",
  },
  strip: {
    describe: (kernel, stride, padding, dilation) =>
      `沿一个轴：每个输出读取 ${kernel} 个单元，间隔 ${dilation}；下一个输出向后移动 ${stride}；前端填充 ${padding} 个单元`,
  },
};
