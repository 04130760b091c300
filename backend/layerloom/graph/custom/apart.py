"""The service's side of documents that carry code: each question is a process that ends with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from layerloom.graph import sandbox
from layerloom.graph.custom.questions import About, Answer, Question
from layerloom.graph.errors import GraphError
from layerloom.schema.problems import Problem, ProblemCode

TASKS = "layerloom.graph.custom.tasks"
LIMITS = sandbox.Limits(memory=4 * 2**30, wall_s=120, answer=32 * 2**20)
_SENTENCES = {
    "memory": "running this code takes more memory than it may.",
    "time": "running this code takes more time than it may: does every loop end?",
    "processes": "this code starts more processes than it may.",
    "answer": "what this code makes is larger than an answer may be.",
}


def ask(
    question: Question[About, Answer],
    about: About,
    hide: Sequence[Path] = (),
    limits: sandbox.Limits = LIMITS,
    within: sandbox.Warm | None = None,
) -> Answer:
    """The answer of a process that is started for this question, allowed to run the code in it, and ended with it.

    The answer was written where that code ran: it is validated, and believed no more than a document is. ``hide`` are
    folders that the code must not see. ``within`` is another process, for code that is trusted not to spoil it.

    Raises:
        GraphError: with what is wrong, or with what the code took too much of.
    """
    payload = about.model_dump(mode="json", by_alias=True)
    try:
        if within is not None:
            found = within.run(question.name, payload)
        else:
            found = sandbox.run(question.name, payload, tasks=TASKS, limits=limits, hide=hide)
        return question.answer.model_validate(found)
    except ValidationError:
        raise _refused(ProblemCode.PYTHON_INVALID, "what came back from this code is no answer.") from None
    except sandbox.SandboxError as error:
        if error.reason not in _SENTENCES:
            raise _refused(ProblemCode.PYTHON_INVALID, "the process that ran this code ended early.") from None
        raise _refused(ProblemCode.PYTHON_EXHAUSTED, _SENTENCES[error.reason]) from None
    except sandbox.TaskError as error:
        said = (str(error).splitlines() or [""])[0][:300]
        raise _refused(ProblemCode.PYTHON_INVALID, f"running this code failed: {error.kind}: {said}.") from None


def _refused(code: ProblemCode, message: str) -> GraphError:
    return GraphError([Problem(code=code, message=message, pointer="/code")])
