import type { networks as en } from "@/i18n/en/networks";

export const networks: typeof en = {
  search: "搜索已保存的网络",
  noHit: (query) => `没有名称包含“${query}”的已保存网络。`,
  more: (count) => `再显示 ${count} 个`,
  rename: (name) => `重命名 ${name}`,
  newName: (name) => `${name} 的新名称`,
  delete: (name) => `删除 ${name}`,
  deleteTitle: (name) => `删除“${name}”？`,
  deleteBody: "它的所有版本会一并永久删除。训练运行会保留各自训练的网络。",
  deleteOpen: "它正在编辑器中打开，删除后仍留在编辑器里，但在你修改或再次保存之前不会存入任何地方。",
  deleteElsewhere: "它还在另一个标签页中打开；在那里再次修改时，会另存为一个新网络。",
  deleted: (name) => `已删除“${name}”`,
  deletedOpen: "编辑器中仍显示它，下次修改时会重新保存。",
};
