"""A call of a torch function, as a node of the catalogue: which entry it is, and its arguments by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import torch

from layerloom.catalogue import find, layers, operations, resolve
from layerloom.graph.factoring.signatures import parameters
from layerloom.graph.importing.errors import ClosedError
from layerloom.schema.catalogue import ParameterSpec

_OPERATORS = {
    **dict.fromkeys(("add", "__add__"), "add"),
    **dict.fromkeys(("sub", "__sub__"), "sub"),
    **dict.fromkeys(("mul", "__mul__"), "mul"),
    **dict.fromkeys(("div", "true_divide", "__truediv__"), "truediv"),
    **dict.fromkeys(("matmul", "__matmul__"), "matmul"),
    **dict.fromkeys(("pow", "__pow__"), "pow"),
    **dict.fromkeys(("neg", "__neg__"), "neg"),
    **{name: name for name in ("eq", "ne", "lt", "le", "gt", "ge")},
    **{f"__{name}__": name for name in ("eq", "ne", "lt", "le", "gt", "ge", "mod", "floordiv", "lshift", "rshift")},
    **{"__and__": "and_", "__or__": "or_", "__xor__": "xor", "__invert__": "invert", "__getitem__": "getitem"},
}
"""What a sign between tensors arrives as. Torch hears ``x + y`` as ``x.add(y)``."""
_REFLECTED = {
    f"__r{name}__": name.strip("_")
    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "matmul", "pow", "and_", "or_", "xor")
}
_SCALARS: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str", torch.dtype: "dtype"}
_IMPLICIT = frozenset({"_stacklevel"})


def named(function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any]) -> tuple[str, Any]:
    """The catalogue's name of a call and its arguments by name, those that equal torch's defaults left out.

    Raises:
        ClosedError: the catalogue has no such operation, or it cannot be called by name.
    """
    label = getattr(function, "__name__", str(function))
    given = [*arguments]
    if label in _REFLECTED:
        given.reverse()
        label = f"__{_REFLECTED[label].strip('_')}__"
    operator = f"operator.{_OPERATORS.get(label, '')}"
    if find(operator) is not None and not keywords and len(given) == len(parameters(operator)) and _signs(function):
        return operator, dict(zip((spec.name for spec in parameters(operator)), given, strict=True))
    target = _targets().get(function)
    if target is None:
        raise ClosedError(f"the catalogue has no operation {label}")
    return target, _bound(target, given, dict(keywords))


def attribute(function: Callable[..., Any]) -> str | None:
    """The catalogue's name of a property that was read from a tensor (``x.mT``), or None."""
    name = getattr(getattr(function, "__self__", None), "__name__", "")
    return f"torch.Tensor.{name}" if find(f"torch.Tensor.{name}") is not None else None


def _signs(function: Callable[..., Any]) -> bool:
    """Whether it is a Tensor's own method and no function of torch: ``torch.add(x, y)`` is written as that."""
    return getattr(function, "__objclass__", None) is not None or "Tensor" in getattr(function, "__qualname__", "")


def prepare() -> None:
    """Introspect what a recording will look up."""
    layers()
    _targets()


@cache
def _targets() -> dict[Any, str]:
    """Names by object. Of two names for one object the first is torch's shorter one."""
    found: dict[Any, str] = {}
    for name in operations():
        found.setdefault(resolve(name), name)
    return found


@cache
def _defaults(target: str) -> dict[str, Any]:
    try:
        signed = inspect.signature(resolve(target)).parameters
    except (TypeError, ValueError):
        return {spec.name: spec.default for spec in parameters(target) if not spec.required}
    return {name: parameter.default for name, parameter in signed.items()}


def _bound(target: str, given: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
    specs = list(parameters(target))
    bound: dict[str, Any] = {}
    required = [spec for spec in specs if spec.required and spec.name not in keywords]
    if specs and not specs[0].required and len(given) <= len(required):
        specs = required  # the end of ``arange(end)``
    for index, value in enumerate(given):
        spec = next((item for item in specs if item.name not in bound and _takes(item, value)), None)
        if spec is None:
            raise ClosedError(f"{target} was called with an argument that the catalogue does not know")
        specs = specs[specs.index(spec) + 1 :]
        if spec.variadic:
            bound[spec.name] = _spread(given[index:])
            break
        bound[spec.name] = value
    for name, value in keywords.items():
        if name in _IMPLICIT or (name == "device" and not _is_meta(value)):
            continue
        known = {"self": "input", "self_": "input", "x": "input", "axis": "dim"}
        name = name if any(item.name == name for item in parameters(target)) else known.get(name, name)
        if not any(item.name == name for item in parameters(target)):
            if value is None or _is(value, _defaults(target).get(name)):
                continue
            raise ClosedError(f"{target} has no argument {name}")
        bound[name] = value
    defaults = _defaults(target)
    needed = {spec.name for spec in parameters(target) if spec.required}
    return {name: value for name, value in bound.items() if name in needed or not _is(value, defaults.get(name, ...))}


def _is_meta(device: Any) -> bool:
    return device is not None and torch.device(device).type == "meta"


def _spread(values: list[Any]) -> Any:
    if len(values) == 1 and isinstance(values[0], tuple | list):
        return list(values[0])
    return list(values)


def _takes(spec: ParameterSpec, value: Any) -> bool:
    """Whether a parameter can be meant by a value that was given by its place."""
    kinds = set(spec.kinds)
    if isinstance(value, torch.Tensor):
        return bool(kinds & {"tensor", "any"})
    if isinstance(value, tuple | list):
        return bool(kinds & {"size", "list", "any"}) or ("tensor" in kinds)
    if value is None or value is ...:
        return True
    kind = _SCALARS.get(type(value), "any")
    accepts = {"int": {"int", "float", "size", "list"}, "bool": {"bool", "int", "float"}, "str": {"str", "choice"}}
    return bool(kinds & ({"any", kind} | accepts.get(kind, set())))


def _is(value: Any, default: Any) -> bool:
    plain = (bool, int, float, str, type(None))
    return type(value) is type(default) and isinstance(value, plain) and bool(value == default)
