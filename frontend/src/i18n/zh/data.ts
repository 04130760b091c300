import type { data as en } from "@/i18n/en/data";

export const data: typeof en = { title: "" };
