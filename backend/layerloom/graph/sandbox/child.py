"""Inside the sandbox: answers requests with the tasks of one module, until its requests end.

Run by its path, by ``keeper.py``: ``child.py MODULE REQUESTS ANSWERS``; ``MODULE.TASKS`` is a dictionary of functions,
the other two are file descriptors. A message is its length in eight bytes and JSON. The module is named by our own
code and never by a request, and it alone is imported here: one that needs no torch runs without it.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MESSAGE_LIMIT = 4_000
_MEMORY_TEXTS = ("DefaultCPUAllocator", "Cannot allocate memory", "not enough memory")


def main(module: str, requests: int, answers: int) -> int:
    """Answer until the requests end."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    tasks: dict[str, Callable[..., Any]] = importlib.import_module(module).TASKS
    _write(answers, {"held": os.environ.pop("LAYERLOOM_HELD", "").split()})
    while (request := _read(requests)) is not None:
        _write(answers, _answer(tasks, request))
    return 0


def _answer(tasks: dict[str, Callable[..., Any]], request: dict[str, Any]) -> dict[str, Any]:
    given = {} if request["file"] is None else {"file": Path(f"/dev/fd/{request['file']}")}
    try:
        return {"result": tasks[request["task"]](request["payload"], **given)}
    except BaseException as error:
        return _failure(error)


def _failure(error: BaseException) -> dict[str, Any]:
    message = _said(error)
    if isinstance(error, MemoryError) or any(text in message for text in _MEMORY_TEXTS):
        return {"over": "memory"}
    problems = getattr(error, "problems", None)
    if isinstance(problems, list):
        return {"problems": [problem.model_dump(mode="json") for problem in problems]}
    trace = "".join(traceback.format_exception(error))[-_MESSAGE_LIMIT:]
    return {"error": {"kind": type(error).__name__, "message": message[:_MESSAGE_LIMIT], "trace": trace}}


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # of a class that the task was given
        return type(error).__name__


def _read(descriptor: int) -> Any:
    head = _exactly(descriptor, 8)
    return None if head is None else json.loads(_exactly(descriptor, int.from_bytes(head, "big")) or b"null")


def _exactly(descriptor: int, count: int) -> bytes | None:
    """So many bytes, or None where they end before."""
    found = bytearray()
    while len(found) < count:
        block = os.read(descriptor, min(count - len(found), 2**20))
        if not block:
            return None
        found += block
    return bytes(found)


def _write(descriptor: int, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    rest = memoryview(len(body).to_bytes(8, "big") + body)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
