"""How large a body may be and how long it may take to arrive, counted as it streams, whatever length was announced."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerloom.api.refusals import Refusal
from layerloom.api.security.wire import WORKER, header, refuse
from layerloom.schema.problems import ProblemCode

MIB = 1024 * 1024
_UPLOAD = re.compile(r"/api/datasets/[^/]+")


@dataclass(frozen=True)
class BodyLimits:
    """Bytes and seconds."""

    json: int = 4 * MIB
    delivery: int = 64 * MIB
    upload: int = 2048 * MIB
    whole: float = 30
    """For a whole JSON body."""
    idle: float = 30
    """Between two chunks of an upload."""


class Limits:
    """Pure ASGI: 413 and 408."""

    def __init__(self, app: ASGIApp, limits: BodyLimits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        upload = scope["method"] == "PUT" and _UPLOAD.fullmatch(scope["path"]) is not None
        most = self._most(scope["path"], upload)
        announced = header(scope, b"content-length")
        if announced is not None and announced.isdecimal() and int(announced[:20]) > most:
            await refuse(scope, receive, send, _too_large(most))
            return
        reader = _Reader(receive, most, None if upload else self.limits.whole, self.limits.idle)
        await self.app(scope, reader, send)

    def _most(self, path: str, upload: bool) -> int:
        if upload:
            return self.limits.upload
        return self.limits.delivery if path.startswith(WORKER) else self.limits.json


class _Reader:
    """``receive`` with a count and a clock. Both end when the body does: waiting for a disconnect may take for ever."""

    def __init__(self, receive: Receive, most: int, whole: float | None, idle: float) -> None:
        self._receive = receive
        self._most = most
        self._got = 0
        self._idle = idle
        self._end = None if whole is None else asyncio.get_running_loop().time() + whole
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(self._end if self._end is not None else now + self._idle):
                message = await self._receive()
        except TimeoutError:
            self._complete = True
            detail = "The request's body did not arrive in time."
            raise Refusal(408, ProblemCode.REQUEST_TIMEOUT, detail, headers={"Connection": "close"}) from None
        self._got += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._got > self._most:
            self._complete = True
            raise _too_large(self._most)
        return message


def _too_large(most: int) -> Refusal:
    detail = f"The body is larger than {most // MIB} MiB." if most >= MIB else f"The body is larger than {most} bytes."
    return Refusal(413, ProblemCode.PAYLOAD_TOO_LARGE, detail, headers={"Connection": "close"})
