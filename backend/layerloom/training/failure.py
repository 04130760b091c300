"""What can go wrong while training, as a problem that names its remedy."""

from __future__ import annotations

import errno
from typing import Any

import torch

from layerloom.schema.patterns import Unmatched
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.training.origin import Origin

_ALLOCATION = ("can't allocate memory", "not enough memory", "out of memory", "cannot allocate memory")


class TrainingError(Exception):
    """Training cannot start or cannot go on; ``problem`` says why and what would mend it."""

    def __init__(self, code: ProblemCode, message: str, **data: Any) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, data=data)
        self.origin: Origin | None = None
        """The call that a divergence began with, where it was found."""

    def trace(self, step: int, origin: Origin) -> None:
        """Add where it began: at which step, and in which call."""
        self.origin = origin
        facts = {"layer": origin.layer, "function": origin.function, "began": step, "backward": origin.backward}
        earlier = "" if step == self.problem.data.get("step") else f" at step {step}"
        message = f"{self.problem.message} It began{earlier}: {str(origin)[0].lower()}{str(origin)[1:]}"
        self.problem = self.problem.model_copy(update={"message": message, "data": {**self.problem.data, **facts}})


def unmatched_error(pattern: Unmatched) -> TrainingError:
    """That a pattern of the plan matches nothing."""
    return TrainingError(
        ProblemCode.PLAN_INVALID,
        pattern.message,
        field=pattern.field,
        got=pattern.pattern,
        nearest=pattern.nearest,
    )


def problem_of(error: BaseException) -> Problem:
    """The problem that an exception amounts to: its own, or the one that its type and text tell."""
    own = getattr(error, "problem", None)
    if isinstance(own, Problem):
        return own
    text = str(error).strip() or type(error).__name__
    if out_of_memory(error):
        return Problem(
            code=ProblemCode.OUT_OF_MEMORY,
            message="Memory ran out. Gradient accumulation, which runs a batch in parts, and a smaller batch size need "
            f"less of it; so do a smaller network and a lower precision. ({_short(text)})",
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(code=ProblemCode.DISK_FULL, message=f"The disk is full: {_short(text)}")
    return Problem(
        code=ProblemCode.TRAINER_FAILED,
        message=f"{type(error).__name__}: {_short(text)}",
        data={"exception": type(error).__name__},
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on whatever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # The CPU allocator raises a plain RuntimeError.
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _ALLOCATION)


def _short(text: str, limit: int = 500) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= limit else first[: limit - 1] + "…"
