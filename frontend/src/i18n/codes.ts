import type { components } from "@/api/schema.gen";

/** Generated from the service's enumeration: a code without a text fails the build. */
export type ProblemCode = components["schemas"]["ProblemCode"];
