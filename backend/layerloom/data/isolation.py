"""The service's side of ``importer``: an upload is read in a sandboxed process of its own."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

from layerloom.data.dataset import DataError
from layerloom.data.importer import TOO_MUCH
from layerloom.data.parse import refuse, too_large
from layerloom.schema.datasets import Reading
from layerloom.schema.problems import Problem

_READER = "layerloom.data.importer"
_FILE_BYTES = 16 * 2**30
"""Of one file that the reader writes: the parsers bound what is kept, and this what they may do wrong."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What reading one file may take."""

    memory: int = 2**30
    """Bytes of address space; the interpreter and numpy take a quarter of it."""
    cpu_s: int = 1_200
    wall_s: float = 1_800


def read_apart(
    folder: Path,
    name: str,
    suffix: str,
    file: Path,
    stop: threading.Event | None = None,
    limits: Limits = Limits(),
    reading: Reading | None = None,
) -> None:
    """``importer.read_into`` in a process of its own, which ends early when ``stop`` is set.

    It can write beside ``folder``, and nowhere else.

    Raises:
        DataError: the content is bad, or reading it takes more than the limits.
    """
    from layerloom.graph import sandbox

    taken = sandbox.Limits(
        memory=limits.memory,
        mapped=0,
        cpu_s=limits.cpu_s,
        wall_s=limits.wall_s,
        processes=8,
        file=_FILE_BYTES,
    )
    how = reading.model_dump_json() if reading is not None else ""
    payload = {"folder": folder.name, "name": name, "suffix": suffix, "reading": how}
    try:
        report = sandbox.run(
            "read", payload, tasks=_READER, limits=taken, file=file, folder=folder.resolve().parent, stop=stop
        )
    except sandbox.SandboxError as error:
        if error.reason in ("memory", "time"):
            raise too_large(TOO_MUCH) from None
        if error.reason != "stopped":
            _log.error("the process that read an upload gave no answer: %s", error)
        raise refuse("The file cannot be read.") from None
    except sandbox.TaskError as error:
        # A parser stumbled over something that it should have refused.
        _log.error("reading an upload: %r", error.trace)
        raise refuse("The file cannot be read.") from None
    if "problem" in report:
        problem = Problem.model_validate(report["problem"])
        raise DataError(problem.code, problem.message, **problem.data)
