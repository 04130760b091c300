"""Confirming in a process that cannot harm: bounded memory and time, no network, and none of the service's secrets.

Torch takes seconds to import, so one process is kept for all questions, which wait for each other.
"""

from __future__ import annotations

import atexit
from functools import cache

from layerloom.graph.confirming.limits import not_confirmed
from layerloom.graph.sandbox import Limits, SandboxError, TaskError, Warm
from layerloom.schema.document import Document
from layerloom.schema.problems import Problem

LIMITS = Limits(memory=3 * 2**30, wall_s=30)


def confirmed(document: Document, within: Warm | None = None) -> list[Problem]:
    """``confirm(document)`` in a process of its own, kept warm. What takes too much is not confirmed; thread-safe.

    The first call waits for torch to be imported, some seconds. ``within`` is another process than the one for all.
    """
    try:
        found = (within or _warm()).run("confirm", document.model_dump(mode="json", by_alias=True))
    except SandboxError as error:
        return [not_confirmed(document, f"running it once {_SAID.get(error.reason, 'came to no end')}")]
    except TaskError as error:
        return [not_confirmed(document, f"running it once failed on our side ({error.kind})")]
    return [Problem.model_validate(problem) for problem in found]


_SAID = {
    "memory": "takes more memory than there is for this",
    "time": f"takes more than {LIMITS.wall_s:g} seconds",
    "died": "ended its process",
}


def close() -> None:
    """End the process. A later question starts another."""
    _warm().close()


@cache
def _warm() -> Warm:
    made = Warm(limits=LIMITS)
    atexit.register(made.close)
    return made
