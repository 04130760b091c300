"""Request bodies: strict JSON, parsed and validated away from the event loop.

A body that two readers could understand differently is refused: duplicate keys, NaN, numbers that overflow a float or
64 bit, text that is no Unicode, nesting beyond 64. Standard parsers let most of these through.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from layerloom.api.refusals import Refusal
from layerloom.api.turns import asking
from layerloom.schema.problems import ErrorItem, ProblemCode

MAX_DEPTH = 64
MAX_ERRORS = 50
_STRING = re.compile(rb'"[^"]*"?')
_NO_STRUCTURE = bytes(sorted(set(range(256)) - set(b'[]{}"')))
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes of NUL, which PostgreSQL cannot store, and of surrogates, which are text only in pairs."""


class StrictRoute(APIRoute):
    """A route whose body is parsed by ``parse`` in a worker thread: 500 nodes would hold the loop for milliseconds.

    What it calls knows the request that it answers, as ``asking``.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        annotations: list[Any] = [body.field_info.annotation for body in self.dependant.body_params]
        model: TypeAdapter[Any] | None = TypeAdapter(annotations[0]) if annotations else None

        async def strict(request: Request) -> Response:
            asking.set(request)
            if model is None:
                return await handle(request)
            media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media != "application/json":
                raise Refusal(415, ProblemCode.UNSUPPORTED_MEDIA, "Send the body as application/json.")
            return await handle(_StrictRequest(request, model))

        return strict


class _StrictRequest(Request):
    def __init__(self, request: Request, model: TypeAdapter[Any]) -> None:
        super().__init__(request.scope, request.receive)
        self._model = model

    async def json(self) -> Any:
        # What FastAPI is given here is an instance already; its own validation then has nothing left to do.
        return await run_in_threadpool(read, await self.body(), self._model)


def read(raw: bytes, model: TypeAdapter[Any]) -> Any:
    """The body as an instance of the model.

    Raises:
        Refusal: 400 for what is no strict JSON, 422 for what is not of that shape.
    """
    value = parse(raw)
    try:
        return model.validate_python(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise invalid([item(detail) for detail in details[:MAX_ERRORS]]) from None
    except RecursionError:
        raise _bad("The body is nested too deeply.") from None


def parse(raw: bytes) -> Any:
    """Strict JSON.

    Raises:
        Refusal: 400, with the reason.
    """
    _check_depth(raw)
    try:
        value = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError:
        raise _bad("The body is not valid UTF-8.") from None
    except json.JSONDecodeError as error:
        raise _bad(f"The body is not valid JSON (at character {error.pos}).") from None
    if _SUSPECT.search(raw) and not all(map(_plain, _texts(value))):
        raise _bad("A text of the body is not valid Unicode, or holds the character NUL.")
    return value


def item(detail: ErrorDetails) -> ErrorItem:
    """One finding of pydantic; its message is kept unless it would repeat what the client sent."""
    message = detail["msg"]
    if detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        allowed = detail.get("ctx", {}).get("expected_tags")
        message = f"Expected one of {allowed}." if allowed else "The kind of this value is missing or unknown."
    place = "/".join(str(part)[:80] for part in detail["loc"][:MAX_DEPTH])
    return ErrorItem(path=f"/{place}", code=ProblemCode.INVALID_BODY, message=message[:500])


def invalid(errors: list[ErrorItem]) -> Refusal:
    """422: the request is understood and cannot be meant."""
    return Refusal(422, ProblemCode.INVALID_BODY, "The request does not have the expected form.", errors)


def _bad(detail: str) -> Refusal:
    return Refusal(400, ProblemCode.BAD_REQUEST, detail)


def _check_depth(raw: bytes) -> None:
    """Peel pairs of brackets from the inside: after as many rounds as levels are allowed nothing may be left.

    Made of whole-buffer operations, each linear: megabytes of brackets take milliseconds.
    """
    quoted = raw.replace(b"\\\\", b"").replace(b'\\"', b"").translate(None, _NO_STRUCTURE)
    # Whether a bracket stands in a string depends on the number of quotes before it: two at once change nothing.
    brackets = _STRING.sub(b"", quoted.replace(b'""', b"")).translate(bytes.maketrans(b"{}", b"[]"))
    for _ in range(MAX_DEPTH):
        inner, brackets = brackets, brackets.replace(b"[]", b"")
        if not brackets:
            return
        if len(brackets) == len(inner):
            break
    raise _bad(f"The body is nested deeper than {MAX_DEPTH} levels, or a bracket has no partner.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _bad("An object of the body names a key twice.")
    return made


def _integer(text: str) -> int:
    # Twenty digits hold every 64-bit number; a longer text is not even converted.
    if len(text) > 20 or not -(2**63) <= (value := int(text)) < 2**64:
        raise _bad("A number of the body does not fit into 64 bits.")
    return value


def _finite(text: str) -> float:
    value = float(text) if len(text) <= 4_000 else math.inf
    if not math.isfinite(value):
        raise _bad("A number of the body is too large for a float.")
    return value


def _no_constant(_text: str) -> None:
    raise _bad("JSON has no NaN and no Infinity; write them as text.")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _texts(part)


def _plain(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text
