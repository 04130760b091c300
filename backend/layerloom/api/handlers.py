"""Every exception that reaches the router's edge, as an answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from layerloom.api.bodies import MAX_ERRORS, invalid, item
from layerloom.api.refusals import Refusal, problem_answer
from layerloom.schema.problems import ProblemCode

logger = logging.getLogger("layerloom.api")

_CODES = {404: ProblemCode.NOT_FOUND, 405: ProblemCode.METHOD_NOT_ALLOWED, 413: ProblemCode.PAYLOAD_TOO_LARGE}


async def on_http_exception(request: Request, error: HTTPException) -> Response:
    """Refusals of ours, and Starlette's own for unknown paths and methods."""
    if not isinstance(error, Refusal):
        code = _CODES.get(error.status_code, ProblemCode.BAD_REQUEST)
        error = Refusal(error.status_code, code, headers=error.headers)
    return problem_answer(request.scope, error)


async def on_invalid(request: Request, error: RequestValidationError) -> Response:
    """Parameters that are not of the described form."""
    return problem_answer(request.scope, invalid([item(detail) for detail in error.errors()[:MAX_ERRORS]]))


HANDLERS: dict[Any, Callable[[Request, Any], Any]] = {
    HTTPException: on_http_exception,
    RequestValidationError: on_invalid,
}
