import type { ProblemCode } from "@/i18n/codes";

/** What helps, by code: only for languages in which the service does not speak, since its message says it already. */
export const remedies: Partial<Record<ProblemCode, string>> = {};
