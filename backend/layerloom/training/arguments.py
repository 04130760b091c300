"""Arguments of a plan as Python objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from layerloom.catalogue import resolve as look_up
from layerloom.catalogue.plain import plain
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Arguments
from layerloom.training.failure import TrainingError

REFUSALS = (TypeError, ValueError, RuntimeError, AssertionError, AttributeError, LookupError, ArithmeticError)
"""What torch raises at arguments or tensors that it does not take."""


def resolve(choice: Choice, known: dict[str, Any], code: ProblemCode, kind: str) -> Callable[..., Any]:
    """The class that a plan names; ``known`` are the catalogue's entries of that kind.

    Raises:
        TrainingError: with ``code``, for a name that the catalogue does not have among them.
    """
    if choice.name not in known:
        raise TrainingError(code, f"There is no {kind} named {choice.name!r}.", name=choice.name, nearest=sorted(known))
    found: Callable[..., Any] = look_up(choice.name)
    return found


def keywords(arguments: Arguments) -> dict[str, Any]:
    """All arguments of a choice, by name.

    Raises:
        TrainingError: for a value that a plan cannot carry.
    """
    try:
        return {name: plain(value) for name, value in arguments.items()}
    except TypeError as error:
        raise TrainingError(ProblemCode.PLAN_INVALID, str(error)) from error


def accepts(target: Callable[..., Any], name: str) -> bool:
    """Whether a constructor has a parameter of this name."""
    return name in inspect.signature(target).parameters


def construct(target: Callable[..., Any], label: str, *positional: Any, **named: Any) -> Any:
    """Call a constructor that a plan chose.

    Raises:
        TrainingError: what torch says of the arguments, as a problem of the plan.
    """
    try:
        return target(*positional, **named)
    except REFUSALS as error:
        raise TrainingError(ProblemCode.PLAN_INVALID, f"{label} refuses its arguments: {error}", name=label) from error
