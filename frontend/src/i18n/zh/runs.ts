import type { runs as en } from "@/i18n/en/runs";

export const runs: typeof en = { title: "" };
