import createClient, { type Middleware } from "openapi-fetch";
import { ApiError, UnreachableError } from "@/api/errors";
import type { paths } from "@/api/schema.gen";
import { expireSession } from "@/api/session";
import type { ErrorBody } from "@/api/types";

const watchSession: Middleware = {
  onResponse({ response }) {
    if (response.status === 401) expireSession();
  },
  onError({ error }) {
    if (error instanceof DOMException && error.name === "AbortError") return error;
    return new UnreachableError(error);
  },
};

/** The service, typed by its OpenAPI description. `unwrap` turns an answer into its data or an ApiError. */
export const api = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "http://127.0.0.1" : location.origin,
  credentials: "same-origin",
});
api.use(watchSession);

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Data of an answer. @throws ApiError for a refusal, UnreachableError without an answer. */
export async function unwrap<T>(answer: Promise<Answered<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok) throw new ApiError(response.status, isErrorBody(error) ? error : undefined);
  return data as T;
}

function isErrorBody(value: unknown): value is ErrorBody {
  return typeof value === "object" && value !== null && "code" in value;
}
