"""What a sandboxed process may be asked about code that it was given. It is allowed there, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from layerloom.catalogue import own
from layerloom.graph.custom.questions import QUESTIONS, Question


def _task(question: Question[Any, Any]) -> Callable[[Any], Any]:
    def answer(payload: Any) -> Any:
        own.allow()
        found = question.here(question.about.model_validate(payload))
        return found.model_dump(mode="json", by_alias=True)

    return answer


TASKS: dict[str, Callable[..., Any]] = {question.name: _task(question) for question in QUESTIONS}
