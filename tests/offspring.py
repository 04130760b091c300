"""Everything that this process has started, and everything that those have: what a killed parent leaves comes here."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def gathered() -> Iterator[None]:
    """While the context lasts, processes whose parents have died become children of this one (Linux)."""
    assert _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        _libc.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def offspring() -> set[psutil.Process]:
    """All descendants that still run."""
    return {child for child in psutil.Process().children(recursive=True) if _runs(child)}


def reap(known: set[psutil.Process]) -> set[psutil.Process]:
    """Descendants beyond the ``known`` that still run; those that have ended are seen off, as init would do."""
    for child in psutil.Process().children():
        if child not in known and not _runs(child):
            with suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)
    return offspring() - known


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
