import type { fixes as en } from "@/i18n/en/fixes";

export const fixes: typeof en = {
  weightsOnly: "仅用于权重",
  reshape: "改用 reshape，它会在 view 做不到时复制",
  disconnect: "断开连接",
  chosen: "自动选择名称",
  mainBlock: (name) => `将 ${name} 设为主模块`,
  argument: (name, block) => `将 ${name} 设为 ${block} 的参数`,
  inputType: (name, dtype) => `将输入 ${name} 改为 ${dtype}`,
  determined: (name) => `由输入决定 ${name}`,
  flattenAndSet: (size, name) => `将输入展平为 ${size} 个特征，并设置 ${name}`,
  flatten: (size) => `将输入展平为 ${size} 个特征`,
  convert: (dtype) => `先转换为 ${dtype}`,
  set: (name, value) => `将 ${name} 设为 ${value}`,
  rename: (name) => `重命名为 ${name}`,
  identify: (id) => `将标识改为 ${id}`,
  connect: (port) => `连接到 ${port}`,
  standFor: (name) => `代表 ${name}`,
  giveBack: (name) => `返回 ${name}`,
  remove: (name) => `移除 ${name}`,
  call: (name) => `调用 ${name}`,
  use: (name) => `改用 ${name}`,
};
