import type { train as en } from "@/i18n/en/train";

export const train: typeof en = { title: "" };
