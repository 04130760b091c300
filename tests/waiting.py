"""Waiting for what another process or thread is about to do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
HANG_GUARD_S = 240
"""What nothing takes on a machine that is ten times as slow, or busy with others' work: only what hangs does."""


def wait_for(condition: Callable[[], T], what: str = "", seconds: float = HANG_GUARD_S) -> T:
    """The first true answer; fails when there is none for so long that nobody would wait."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"it never happened: {what or condition}"
        time.sleep(0.02)
    return answer
