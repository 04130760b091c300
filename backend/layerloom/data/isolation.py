"""The service's side of ``importer``: starts it, waits for it, and kills it when it takes too long."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layerloom.data.dataset import DataError
from layerloom.data.importer import TOO_MUCH, command
from layerloom.data.parse import refuse, too_large
from layerloom.schema.problems import Problem

_ALLOWED = re.compile(
    r"PATH|HOME|LANG|LC_\w+|TMPDIR|VIRTUAL_ENV|PYTHONPATH|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SYSTEMROOT"
)
_POLL_S = 0.2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What reading one file may take."""

    memory: int = 2**30
    """Bytes of address space; the interpreter and numpy take a quarter of it."""
    cpu_s: int = 1_200
    wall_s: float = 1_800


def read_apart(
    folder: Path, name: str, suffix: str, file: Path, stop: threading.Event | None = None, limits: Limits = Limits()
) -> None:
    """``importer.read_into`` in a process of its own, which ends early when ``stop`` is set.

    Raises:
        DataError: the content is bad, or reading it takes more than the limits.
    """
    # Nothing is written to the pipe: the importer ends when this end of it is closed, by whatever cause.
    reader, lifeline = os.pipe()
    try:
        child = subprocess.Popen(  # noqa: S603  (our own program)
            command(file, suffix, name, folder, limits.memory, limits.cpu_s),
            stdin=reader,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
        with child:
            said, log = _wait(child, stop or threading.Event(), time.monotonic() + limits.wall_s)
    finally:
        os.close(reader)
        os.close(lifeline)
    if log:
        _log.warning("reading an upload: %s", log.decode(errors="replace")[-4_000:])
    if child.returncode in (-signal.SIGKILL, -signal.SIGXCPU):
        raise too_large(TOO_MUCH)
    if child.returncode != 0:
        _log.error("the process that read an upload ended with code %d", child.returncode)
        raise refuse("The file cannot be read.")
    report = json.loads(said)
    if "problem" in report:
        problem = Problem.model_validate(report["problem"])
        raise DataError(problem.code, problem.message, **problem.data)


def _wait(child: subprocess.Popen[bytes], stop: threading.Event, end: float) -> tuple[bytes, bytes]:
    try:
        while not stop.is_set() and time.monotonic() < end:
            with suppress(subprocess.TimeoutExpired):
                return child.communicate(timeout=_POLL_S)
    finally:
        if child.poll() is None:
            # It leads a session of its own, so that this reaches whatever it may have started.
            os.killpg(child.pid, signal.SIGKILL)
    return child.communicate()


def _environment() -> dict[str, str]:
    allowed = {name: value for name, value in os.environ.items() if _ALLOWED.fullmatch(name)}
    # A thread of BLAS takes tens of megabytes of address space, and there is nothing here for it to do.
    return {**allowed, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
