"""Requests that take real work take turns: a thread that waits is one that all other requests lack."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from layerloom.api.refusals import Refusal
from layerloom.schema.problems import ProblemCode

RETRY_S = 10
"""After so many seconds a client may ask again."""


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
            Refusal: 503 with Retry-After, too many wait already.
        """
        if not self._here.acquire(blocking=False):
            raise Refusal(503, self._code, self._detail, headers={"Retry-After": str(RETRY_S)})
        try:
            with self._working:
                yield
        finally:
            self._here.release()


def one_by_one() -> Turns:
    """Of a process that is kept warm and answers one question after the other."""
    detail = "The service looks at too many networks or images at once; try again in a moment."
    return Turns(1, 7, ProblemCode.SERVICE_BUSY, detail)
