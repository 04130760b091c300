"""Arguments for any operation, invented from the kinds of its parameters, and the call that generated source makes."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

import torch

from layerloom.catalogue import resolve
from layerloom.schema.catalogue import Entry, ParameterSpec

TENSORS = (
    torch.rand(4, 4),
    torch.zeros(4, 4, dtype=torch.int64),
    torch.rand(2, 4, 4, 4),
    torch.rand(4),
    torch.rand(2, 4, 4),
)


def _values(parameter: ParameterSpec, many: bool, tensor: torch.Tensor) -> Iterator[Any]:
    for kind in parameter.kinds:
        match kind:
            case "tensor":
                yield [tensor, tensor] if many else tensor
            case "size" | "list":
                yield [1] * (parameter.length or 2)
            case "float":
                yield 0.5
            case "int":
                yield 1
            case "bool":
                yield True
            case "dtype":
                yield torch.float32
            case "choice":
                yield parameter.choices[0]
            case "str":
                yield "ij,ij"
            case "any":
                yield "cpu" if parameter.name == "device" else 0


def arguments(entry: Entry, tensor: torch.Tensor, second: bool) -> dict[str, Any]:
    many = {port.name for port in entry.inputs if port.many}
    found = {}
    for parameter in entry.parameters:
        if parameter.required:
            values = list(_values(parameter, parameter.name in many, tensor))
            found[parameter.name] = values[-1 if second else 0]
    return found


def call(entry: Entry, arguments: dict[str, Any]) -> Any:
    """As generated source calls it."""
    target = resolve(entry.name)
    args, kwargs = placed(entry, arguments)
    return target(*args, **kwargs) if callable(target) else target.__get__(*args)


def placed(entry: Entry, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """By place and by name: the receiver comes first, the rest by name; operators and ``*args`` by place."""
    rest = dict(arguments)
    if entry.name.startswith("operator."):
        return list(rest.values()), {}
    args = [rest.pop("input")] if entry.name.startswith("torch.Tensor.") else []
    if isinstance(resolve(entry.name), FunctionType):
        for parameter in entry.parameters:
            if parameter.variadic and parameter.name in rest:
                before = list(rest)[: list(rest).index(parameter.name)]
                return [*args, *(rest.pop(name) for name in before), *rest.pop(parameter.name)], rest
    return args, rest
