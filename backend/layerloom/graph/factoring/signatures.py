"""What the catalogue says of the arguments of layers and operations."""

from __future__ import annotations

from functools import cache

from layerloom.catalogue import find
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.values import Value


@cache
def parameters(target: str) -> tuple[ParameterSpec, ...]:
    """The arguments of a layer or operation; none of an unknown one."""
    entry = find(target)
    return tuple(entry.parameters) if entry else ()


def default_of(target: str, name: str) -> Value:
    """What an operation's argument is where it is left out."""
    return next((spec.default for spec in parameters(target) if spec.name == name), None)


def order_of(target: str, name: str) -> int:
    """Where an argument stands in a signature."""
    return next((index for index, spec in enumerate(parameters(target)) if spec.name == name), 0)


def is_required(target: str, name: str) -> bool:
    """Whether an argument has no default."""
    return any(spec.name == name and spec.required for spec in parameters(target))
