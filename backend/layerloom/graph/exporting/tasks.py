"""Exporting in a sandbox: what its process can be asked for."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

from layerloom.catalogue import own
from layerloom.graph.errors import refuse
from layerloom.graph.exporting.exporter import write
from layerloom.graph.exporting.state import load_state
from layerloom.schema.document import Document
from layerloom.schema.problems import ProblemCode

OUT = "exported"
"""Name of the file in the folder that the process may write to."""


def export_file(payload: Any, file: Path | None = None) -> Any:
    """Write ``payload``'s document with the weights of ``file``; the report as JSON. ``python`` lets its code run.

    Raises:
        GraphError: see ``write``, and a full disk.
    """
    if payload["python"]:
        own.allow()
    document = Document.model_validate(payload["document"])
    state = None if file is None else load_state(file)
    try:
        report = write(document, state, payload["format"], Path(OUT).absolute(), texts=payload["texts"])
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise refuse(ProblemCode.DISK_FULL, "The disk is full; nothing was written.") from error
        raise
    return report.model_dump(mode="json")


TASKS: dict[str, Callable[..., Any]] = {"export": export_file}
