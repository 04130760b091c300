"""How a command that has started a trainer ends when it is told to: by Ctrl-C, a closed terminal, or a manager of
processes. What it has started ends first, and its exit code says which signal it was."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""The last of them is not everywhere."""


class Told:
    """Whether the process was told to end."""

    number: int | None = None
    """The first signal that said so."""

    def leave(self) -> None:
        """Exit with 128 and the signal's number, as a shell counts; nothing when there was none."""
        if self.number is None:
            return
        try:
            sys.stdout.flush()
        except OSError:  # the terminal is gone, or whoever read this: what is left is written to nobody
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + self.number)


@contextmanager
def listening(act: Callable[[], None] = lambda: None) -> Iterator[Told]:
    """Note signals that tell to end, and ``act`` on each, instead of ending at once. One that whoever started the
    process has it ignore, as ``nohup`` does, stays ignored."""
    told = Told()

    def hear(number: int, _frame: object) -> None:
        told.number = told.number or number
        act()

    numbers = [number for name in _NAMES if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.getsignal(number) for number in numbers}
    heard = [number for number in numbers if before[number] != signal.SIG_IGN]
    for number in heard:
        signal.signal(number, hear)
    try:
        yield told
    finally:
        for number in heard:
            signal.signal(number, before[number])
