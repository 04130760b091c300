"""How an operation of the catalogue is called with arguments by name, and which calls would cost too much to try."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from layerloom.catalogue import find, resolve
from layerloom.graph.checking.arguments import faults
from layerloom.graph.checking.failures import Failure
from layerloom.graph.checking.values import Frozen, Group, Number, TensorSpec, tensors
from layerloom.schema.problems import ProblemCode

PIECES = 10_000
"""Tensors or elements in one result."""
BITS = 512
"""Of a whole number that Python computes."""


def invoke(target: str, arguments: dict[str, Any]) -> Any:
    """Call an operation on live values. Raises what torch raises."""
    function = resolve(target)
    module, _, name = target.rpartition(".")
    if module == "operator":
        return function(*(arguments[parameter] for parameter in _parameters(target) if parameter in arguments))
    rest = dict(arguments)
    positional: list[Any] = []
    if module == "torch.Tensor":
        receiver = rest.pop("input")
        if not isinstance(receiver, torch.Tensor):
            raise TypeError(f"{name} needs a tensor, not a {type(receiver).__name__}")
        function = getattr(receiver, name)
        if not callable(function):
            return function
    variadic = _variadic(target)
    if variadic in rest:
        for name in _parameters(target):
            if name in rest and name != variadic:
                positional.append(rest.pop(name))
            elif name == variadic:
                break
        given = rest.pop(variadic)
        positional.extend(given if given and isinstance(given, list | tuple) else [given])
    return function(*positional, **rest)


@cache
def _parameters(target: str) -> tuple[str, ...]:
    entry = find(target)
    return tuple(parameter.name for parameter in entry.parameters) if entry else ()


@cache
def _connectable(target: str) -> frozenset[str]:
    """Parameters that take tensors, or what operations that are no tensor functions make of them (``x.shape[0]``)."""
    entry = find(target)
    parameters = entry.parameters if entry else []
    return frozenset(parameter.name for parameter in parameters if {"tensor", "any"} & set(parameter.kinds))


@cache
def _variadic(target: str) -> str:
    entry = find(target)
    parameters = entry.parameters if entry else []
    return next((parameter.name for parameter in parameters if parameter.variadic), "")


def refusal(target: str, arguments: tuple[tuple[str, Frozen], ...]) -> Failure | None:
    """Why a call must not even be tried: without tensors Python itself computes, and no limit would hold it."""
    wrong = faults(target, tuple((name, value) for name, value in arguments if name not in _connectable(target)))
    if wrong:
        return Failure(wrong[0].code, wrong[0].sentence)
    given = [value for _, value in arguments]
    if target.startswith("operator.") and not any(True for value in given for _ in tensors(value)):
        return _python(target, given)
    pieces = _pieces(target, dict(arguments))
    if pieces > PIECES:
        return Failure(ProblemCode.ARGUMENT_RANGE, f"it would give {pieces:,} tensors; the limit is {PIECES:,}")
    return None


def _python(target: str, given: list[Frozen]) -> Failure | None:
    numbers = [value for value in given if isinstance(value, int | Number)]
    if target == "operator.getitem":
        return None
    if len(numbers) == len(given):
        bits = [value.bit_length() for value in numbers if isinstance(value, int)]
        exponent = next((value for value in reversed(numbers) if isinstance(value, int)), 0)
        grows = {"pow": bits[0] * abs(exponent) if bits else 0, "lshift": sum(bits[:1]) + abs(exponent)}
        if grows.get(target.rpartition(".")[2].strip("_").removeprefix("i"), sum(bits)) <= BITS:
            return None
        return Failure(ProblemCode.OVERFLOW, f"the result would have more than {BITS} bits")
    groups = [value for value in given if isinstance(value, Group)]
    elements = sum(len(group.items) for group in groups)
    if target == "operator.add" and len(groups) == len(given) and elements <= PIECES:
        return None
    if target in ("operator.eq", "operator.ne", "operator.is_", "operator.is_not"):
        return None
    return Failure(ProblemCode.ARGUMENT_TYPE, "it needs a tensor or numbers")


def _pieces(target: str, arguments: dict[str, Frozen]) -> int:
    """At most how many tensors an operation that splits gives; 0 for all others."""
    given = next((value for value in arguments.values() if isinstance(value, TensorSpec)), None)
    if given is None or not given.shape or not _splits(target):
        return 0
    dim = arguments.get("dim", 0)
    longest = max(given.shape)
    if isinstance(dim, int) and -len(given.shape) <= dim < len(given.shape):
        longest = given.shape[dim]
    counts = {name: value for name, value in arguments.items() if isinstance(value, int) and name != "dim"}
    if not counts:
        listed = [len(value.items) + 1 for value in arguments.values() if isinstance(value, Group)]
        return max(listed, default=longest)
    return max(-(-longest // max(size, 1)) if "size" in name else min(size, longest) for name, size in counts.items())


@cache
def _splits(target: str) -> bool:
    """Whether torch declares a list of tensors as an operation's result."""
    name = target.rpartition(".")[2]
    schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name}")
    return any(str(result.type) == "List[Tensor]" for schema in schemas for result in schema.returns)
