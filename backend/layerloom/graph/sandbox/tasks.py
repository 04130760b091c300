"""What may be asked of a sandboxed process of the graph room: one dictionary, from a name to a function.

A function takes the request's payload, and ``file``, a path to read, where the process was given one. It gives a JSON
value, or raises GraphError, which the caller is raised, too. Each imports what it needs when it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def _open_named(payload: dict[str, Any]) -> dict[str, Any]:
    from layerloom.graph.importing.execution import open_named

    return open_named(payload)


def _open_python(payload: dict[str, Any]) -> dict[str, Any]:
    from layerloom.graph.importing.execution import open_python

    return open_python(payload)


def _open_program(payload: dict[str, Any], file: Path) -> dict[str, Any]:
    from layerloom.graph.importing.execution import open_program

    return open_program(payload, file)


def _read_state(payload: dict[str, Any], file: Path) -> dict[str, Any]:
    from layerloom.graph.importing.states import read_state

    return read_state(payload, file)


def _confirm(payload: dict[str, Any]) -> list[dict[str, Any]]:
    from layerloom.graph.confirming import confirm
    from layerloom.schema.document import Document

    return [problem.model_dump(mode="json") for problem in confirm(Document.model_validate(payload))]


TASKS: dict[str, Callable[..., Any]] = {
    "confirm": _confirm,
    "nothing": lambda _payload: None,
    "open_named": _open_named,
    "open_python": _open_python,
    "open_program": _open_program,
    "read_state": _read_state,
}
