import type { editor as en } from "@/i18n/en/editor";

export const editor: typeof en = { title: "编辑器" };
