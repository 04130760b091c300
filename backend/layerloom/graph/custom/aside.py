"""Questions about documents without code that take a network's real work: answered in a process that is kept warm.

A minute of matrix products in the service's own process would make every other request wait, and what ends torch there
ends the service.
"""

from __future__ import annotations

import atexit
from functools import cache

from layerloom.graph import sandbox
from layerloom.graph.custom.apart import TASKS
from layerloom.graph.custom.questions import About, Answer, Question
from layerloom.graph.errors import refuse
from layerloom.schema.problems import ProblemCode

LIMITS = sandbox.Limits(memory=4 * 2**30, wall_s=120, answer=32 * 2**20)
_TOO_MUCH = {"memory": "more memory", "time": "more time", "answer": "a longer answer"}


def ask_aside(question: Question[About, Answer], about: About, within: sandbox.Warm | None = None) -> Answer:
    """``question.here(about)``, elsewhere; thread-safe, one after the other.

    The first answer waits for torch to be imported, some seconds. ``within`` is another process than the one for all.

    Raises:
        GraphError: what the question itself raises, or that the network is too large for it.
    """
    try:
        found = (within or _warm()).run(question.name, about.model_dump(mode="json", by_alias=True))
    except sandbox.SandboxError as error:
        if error.reason in _TOO_MUCH:
            message = f"This network takes {_TOO_MUCH[error.reason]} than there is for this. Ask about a part of it."
        else:
            message = "The process that looked at this network ended early. Ask again, or about a part of it."
        raise refuse(ProblemCode.TOO_LARGE, message) from None
    return question.answer.model_validate(found)


@cache
def _warm() -> sandbox.Warm:
    made = sandbox.Warm(tasks=TASKS, limits=LIMITS)
    atexit.register(made.close)
    return made
