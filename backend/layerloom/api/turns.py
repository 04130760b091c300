"""Requests that take real work take turns: a thread that waits is one that all other requests lack.

Somebody who draws asks anew with every edit and gives the question before up. A question that nobody waits for any more
leaves its place: otherwise one person's edits would fill them all, and the last one, which counts, would be refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from anyio import from_thread
from starlette.requests import Request

from layerloom.api.refusals import Refusal
from layerloom.schema.problems import ProblemCode

RETRY_S = 10
"""After so many seconds a client may ask again."""
LOOK_S = 0.5
"""So often a request that waits looks whether its client still does."""
asking: ContextVar[Request | None] = ContextVar("asking", default=None)
"""The request that is answered here, set by the route: what takes turns lies far below the endpoints."""


class Turns:
    """So many at once, and so many that wait; whoever comes then is refused. Thread-safe."""

    def __init__(self, at_once: int, waiting: int, code: ProblemCode, detail: str) -> None:
        """``code`` and ``detail`` are of the refusal."""
        self.at_once, self.waiting = at_once, waiting
        self._code, self._detail = code, detail
        self._working = threading.BoundedSemaphore(at_once)
        self._here = threading.BoundedSemaphore(at_once + waiting)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for a turn, and have it.

        Raises:
            Refusal: 503 with Retry-After, too many wait already, or, heard by nobody, the client has gone.
        """
        if not self._here.acquire(blocking=False):
            raise self._refusal()
        try:
            self._wait()
            try:
                yield
            finally:
                self._working.release()
        finally:
            self._here.release()

    def _wait(self) -> None:
        if self._working.acquire(blocking=False):
            return
        while True:
            has_turn = self._working.acquire(timeout=LOOK_S)
            if _client_has_gone():
                if has_turn:
                    self._working.release()
                raise self._refusal()
            if has_turn:
                return

    def _refusal(self) -> Refusal:
        return Refusal(503, self._code, self._detail, headers={"Retry-After": str(RETRY_S)})


def one_by_one() -> Turns:
    """Of a process that is kept warm and answers one question after the other."""
    detail = "The service looks at too many networks or images at once; try again in a moment."
    return Turns(1, 7, ProblemCode.SERVICE_BUSY, detail)


def _client_has_gone() -> bool:
    request = asking.get()
    return request is not None and from_thread.run(request.is_disconnected)
