import type { ErrorBody, ErrorItem, Problem, ProblemCode } from "@/api/types";

/** A refusal of the service, as RFC 9457 problem details. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: ErrorItem[];

  constructor(status: number, body: Partial<ErrorBody> | undefined) {
    super(body?.detail || body?.title || `HTTP ${status}`);
    this.name = "ApiError";
    this.status = status;
    this.code = body?.code ?? "internal";
    this.detail = body?.detail ?? "";
    this.errors = body?.errors ?? [];
  }

  /** The problems of a document or plan that the refusal carries. */
  get problems(): Problem[] {
    return this.errors.flatMap((item) => (item.problem ? [item.problem] : []));
  }
}

/** The service did not answer at all. */
export class UnreachableError extends Error {
  constructor(cause: unknown) {
    super("The service does not answer.", { cause });
    this.name = "UnreachableError";
  }
}
