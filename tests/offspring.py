"""Everything that this process has started, and everything that those have: what a killed parent leaves comes here."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress

import psutil

_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def gathered() -> Iterator[set[psutil.Process]]:
    """While the context lasts, processes whose parents have died become children of this one (Linux). It gives those
    that ran before; what a test that fails has started besides is ended: a trainer would go on training.
    """
    assert _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    known = offspring()
    try:
        yield known
    except BaseException:
        for process in offspring(known):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        reap(known)
        raise
    finally:
        _libc.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def offspring(known: Collection[psutil.Process] = ()) -> set[psutil.Process]:
    """All descendants that still run, but for the ``known`` and what those have started."""
    own = [child for child in psutil.Process().children() if child not in known]
    return {one for child in own for one in (child, *_below(child)) if _runs(one)}


def reap(known: set[psutil.Process]) -> set[psutil.Process]:
    """Descendants beyond the ``known`` that still run; those that have ended are seen off, as init would do."""
    for child in psutil.Process().children():
        if child not in known and not _runs(child):
            with suppress(ChildProcessError):
                os.waitpid(child.pid, os.WNOHANG)
    return offspring(known)


def _below(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
