"""Every exception that reaches the router's edge, as an answer."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from layerloom.api.bodies import MAX_ERRORS, invalid, item
from layerloom.api.refusals import Refusal, problem_answer
from layerloom.schema.problems import ErrorItem, Problem, ProblemCode
from layerloom.storage import (
    EventRefused,
    Fenced,
    KeyReused,
    Missing,
    StaleRevision,
    StateConflict,
    StoreBusy,
    StoreError,
    StoreFull,
)

_CODES = {404: ProblemCode.NOT_FOUND, 405: ProblemCode.METHOD_NOT_ALLOWED, 413: ProblemCode.PAYLOAD_TOO_LARGE}


def on_http_exception(request: Request, error: HTTPException) -> Response:
    """Refusals of ours, and Starlette's own for unknown paths and methods."""
    if not isinstance(error, Refusal):
        code = _CODES.get(error.status_code, ProblemCode.BAD_REQUEST)
        error = Refusal(error.status_code, code, headers=error.headers)
    return problem_answer(request.scope, error)


def on_invalid(request: Request, error: RequestValidationError) -> Response:
    """Parameters that are not of the described form."""
    return problem_answer(request.scope, invalid([item(detail) for detail in error.errors()[:MAX_ERRORS]]))


def on_store_error(request: Request, error: StoreError) -> Response:
    """What the store refuses, each with a status of its own."""
    return problem_answer(request.scope, _from_store(error))


def on_os_error(request: Request, error: OSError) -> Response:
    """A full disk is a state of the machine that the user can mend, and no fault of the program."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        raise error
    return problem_answer(request.scope, _disk_full())


def on_exception(request: Request, _error: Exception) -> Response:
    """A fault of ours. The layer outside logs it under the id that the answer carries."""
    detail = "Something went wrong inside LayerLoom; its log holds this request's id."
    return problem_answer(request.scope, Refusal(500, ProblemCode.INTERNAL, detail))


def _from_store(error: StoreError) -> Refusal:
    match error:
        case Missing():
            return Refusal(404, ProblemCode.NOT_FOUND, "There is no such thing (any more).")
        case StaleRevision(current=current):
            message = f"The network was saved in between and is at revision {current.revision} now."
            problem = Problem(code=ProblemCode.STALE_REVISION, message=message, data={"current": current.model_dump()})
            cause = ErrorItem(code=problem.code, message=message, problem=problem)
            return Refusal(412, problem.code, message, [cause], {"ETag": f'"{current.revision}"'})
        case StateConflict():
            # It names the state, and says what would help.
            return Refusal(409, ProblemCode.STATE_CONFLICT, str(error))
        case KeyReused():
            return Refusal(422, ProblemCode.INVALID_BODY, "This Idempotency-Key was used with another body.")
        case Fenced():
            return Refusal(409, ProblemCode.FENCED, "A newer attempt owns this run.")
        case EventRefused():
            return Refusal(422, ProblemCode.INVALID_BODY, "An event cannot come from this run's trainer.")
        case StoreBusy():
            detail = "The database does not answer; try again."
            return Refusal(503, ProblemCode.STORE_BUSY, detail, headers={"Retry-After": "1"})
        case StoreFull():
            return _disk_full()
    raise error


def _disk_full() -> Refusal:
    return Refusal(507, ProblemCode.DISK_FULL, "The disk is full; nothing was saved.")


HANDLERS: dict[Any, Callable[[Request, Any], Any]] = {
    HTTPException: on_http_exception,
    RequestValidationError: on_invalid,
    StoreError: on_store_error,
    OSError: on_os_error,
    Exception: on_exception,
}
