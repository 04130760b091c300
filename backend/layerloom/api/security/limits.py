"""How large a body may be and how long it may take to arrive, counted as it streams, whatever length was announced."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from layerloom.api.refusals import Refusal
from layerloom.api.security.wire import WORKER, header, refuse
from layerloom.schema.problems import ProblemCode

MIB = 1024 * 1024
_UPLOAD = re.compile(r"/api/(datasets/[^/]+|graphs/import)")


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
    lingering_bytes: int = 64 * MIB
    lingering: float = 2
    """How much of a refused body is still read, and thrown away, and for how long: a connection that is closed with
    bytes unread is reset, and a client that is still sending would never see why."""


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
            # Whoever asks first whether to send has sent nothing, and would be told to by the first read.
            if header(scope, b"expect") is None:
                await _discard(receive, self.limits)
            await refuse(scope, receive, send, _too_large(most))
            return
        reader = _Reader(receive, most, self.limits, whole=not upload)
        await self.app(scope, reader, send)

    def _most(self, path: str, upload: bool) -> int:
        if upload:
            return self.limits.upload
        return self.limits.delivery if path.startswith(WORKER) else self.limits.json


class _Reader:
    """``receive`` with a count and a clock. Both end when the body does: waiting for a disconnect may take for ever."""

    def __init__(self, receive: Receive, most: int, limits: BodyLimits, *, whole: bool) -> None:
        self._receive = receive
        self._most = most
        self._limits = limits
        self._got = 0
        self._end = asyncio.get_running_loop().time() + limits.whole if whole else None
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(self._end if self._end is not None else now + self._limits.idle):
                message = await self._receive()
        except TimeoutError:
            self._complete = True
            detail = "The request's body did not arrive in time."
            raise Refusal(408, ProblemCode.REQUEST_TIMEOUT, detail, headers={"Connection": "close"}) from None
        self._got += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._got > self._most:
            if not self._complete:
                await _discard(self._receive, self._limits)
            self._complete = True
            raise _too_large(self._most)
        return message


async def _discard(receive: Receive, limits: BodyLimits) -> None:
    """Read what is still coming of a refused body, within bounds."""
    got = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(limits.lingering):
            while got < limits.lingering_bytes:
                message = await receive()
                got += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def _too_large(most: int) -> Refusal:
    detail = f"The body is larger than {most // MIB} MiB." if most >= MIB else f"The body is larger than {most} bytes."
    return Refusal(413, ProblemCode.PAYLOAD_TOO_LARGE, detail, headers={"Connection": "close"})
