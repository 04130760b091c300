"""Refusals: every answer that is not a success has one shape, RFC 9457 problem details.

Raise ``Refusal`` anywhere below the router; ``problem_answer`` writes one where there is no router yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from layerloom.schema.problems import ErrorBody, ErrorItem, Problem, ProblemCode

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "layerloom.request_id"
"""Key of the scope; the answer carries the same id, so that a report can be found in the server's log."""


class Refusal(HTTPException):
    """A request that is not granted. Texts are the server's own and never repeat what the client sent."""

    def __init__(
        self,
        status: int,
        code: ProblemCode,
        detail: str = "",
        errors: Sequence[ErrorItem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail or HTTPStatus(status).phrase, dict(headers) if headers else None)
        self.code = code
        self.errors = list(errors)


def unknown(what: str) -> Refusal:
    """404 for something that does not exist, or is another's: the two look alike."""
    return Refusal(404, ProblemCode.NOT_FOUND, f"There is no such {what}.")


def with_problems(status: int, detail: str, problems: Sequence[Problem]) -> Refusal:
    """A refusal whose causes are problems of a document, a plan or data."""
    errors = [
        ErrorItem(path=item.pointer or "", code=item.code, message=item.message, problem=item) for item in problems
    ]
    return Refusal(status, problems[0].code if problems else ProblemCode.INVALID_BODY, detail, errors)


def problem_answer(scope: Scope, refusal: Refusal) -> Response:
    """The refusal as an HTTP answer."""
    body = ErrorBody(
        title=HTTPStatus(refusal.status_code).phrase,
        status=refusal.status_code,
        code=refusal.code,
        detail=refusal.detail,
        errors=refusal.errors,
        request_id=scope.get(REQUEST_ID, ""),
    )
    return Response(body.model_dump_json(), refusal.status_code, refusal.headers, MEDIA_TYPE)
