"""Arguments of a plan as Python objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from layerloom.catalogue import dtype
from layerloom.catalogue import resolve as look_up
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Arguments, DType, FunctionRef, Mapping, NonFinite, Tuple, Value
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


def plain(value: Value) -> Any:
    """A wire value as the Python object it stands for. References and expressions have no meaning in a plan.

    Raises:
        TrainingError: for a value that a plan cannot carry.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [plain(item) for item in value]
        case Tuple(items=items):
            return tuple(plain(item) for item in items)
        case Mapping(items=items):
            return {key: plain(item) for key, item in items.items()}
        case NonFinite(text=text):
            return float(text)
        case DType(dtype=name):
            return dtype(name)
        case FunctionRef(name=name):
            return look_up(name)
        case _:
            raise TrainingError(
                ProblemCode.PLAN_INVALID, f"A training plan cannot carry the value {type(value).__name__}."
            )


def keywords(arguments: Arguments) -> dict[str, Any]:
    """All arguments of a choice, by name."""
    return {name: plain(value) for name, value in arguments.items()}


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
