"""Parameters and buffers: the calls that make their first numbers."""

from __future__ import annotations

import ast
from typing import Any

from layerloom.catalogue import dtype
from layerloom.graph.importing.python.errors import NotPlainError, not_plain
from layerloom.graph.importing.python.names import Names
from layerloom.schema.document import Buffer, Parameter, ParameterInit
from layerloom.schema.values import Packed, Tuple, Value

_FILLS = {"torch.zeros": 0, "torch.ones": 1}
_FIRST: dict[str, list[ParameterInit]] = {
    "torch.zeros": [ParameterInit(function="torch.nn.init.zeros_")],
    "torch.ones": [ParameterInit(function="torch.nn.init.ones_")],
    "torch.rand": [ParameterInit(function="torch.nn.init.uniform_")],
    "torch.randn": [],
    "torch.empty": [],
}
_DEFAULT = "float32"


def parameter(name: str, call: ast.Call, names: Names) -> Parameter:
    """``nn.Parameter(torch.zeros(3, width))``. Raises NotPlainError."""
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    given = [*call.args, *[options.pop(key) for key in ("data",) if key in options]]
    trains = options.pop("requires_grad", ast.Constant(True))
    if len(given) == 2:
        trains = given.pop()
    if len(given) != 1 or options or not isinstance(trains, ast.Constant):
        raise not_plain(call, "this parameter cannot be read without running the code")
    maker, scale = _scaled(given[0], names)
    if not isinstance(maker, ast.Call):
        raise not_plain(call, "what this parameter holds first cannot be known without running the code")
    function = names.imports.dotted(maker.func)
    if function == "torch.full" and len(maker.args) == 2:
        init = [ParameterInit(function="torch.nn.init.constant_", arguments={"val": names.value(maker.args[1])})]
        shape, kind = _sizes(maker.args[:1], names), _dtype(maker, names)
    elif function == "torch.tensor" and len(maker.args) == 1 and not isinstance(maker.args[0], ast.List):
        init = [ParameterInit(function="torch.nn.init.constant_", arguments={"val": names.value(maker.args[0])})]
        shape, kind = [], _dtype(maker, names)
    elif function in _FIRST:
        init, shape, kind = _FIRST[function], _sizes(maker.args, names), _dtype(maker, names)
    else:
        raise not_plain(call, "what this parameter holds first cannot be known without running the code")
    if scale is not None:
        init = _scaled_init(function or "", names.value(scale), call)
    return Parameter(name=name, shape=shape, dtype=kind or _DEFAULT, requires_grad=bool(trains.value), init=init)


def _scaled(tensor: ast.expr, names: Names) -> tuple[ast.expr, ast.expr | None]:
    """``torch.randn(3) * 0.02`` in two."""
    match tensor:
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            if names.pure(right):
                return left, right
            if names.pure(left):
                return right, left
    return tensor, None


def _scaled_init(function: str, scale: Value, place: ast.AST) -> list[ParameterInit]:
    if function == "torch.randn":
        return [ParameterInit(function="torch.nn.init.normal_", arguments={"std": scale})]
    if function == "torch.ones":
        return [ParameterInit(function="torch.nn.init.constant_", arguments={"val": scale})]
    raise not_plain(place, "what this parameter holds first cannot be known without running the code")


def buffer(call: ast.Call, names: Names) -> Buffer | None:
    """``self.register_buffer("mask", …)``; None where its numbers are not those of a plain maker."""
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    args = [*call.args, *[options[key] for key in ("tensor",) if key in options]]
    keeps = options.get("persistent", args[2] if len(args) > 2 else ast.Constant(True))
    match args, keeps:
        case [ast.Constant(value=str() as name), ast.Call() as maker, *_], ast.Constant(value=bool() as persistent):
            try:
                found = _filled(maker, names)
            except (NotPlainError, IndexError):
                return None
            if found is None:
                return None
            fill, shape, kind = found
            return Buffer(name=name, shape=shape, dtype=kind, persistent=persistent, fill=fill)
    return None


def _filled(maker: ast.Call, names: Names) -> tuple[Any, list[Value], str] | None:
    """Fill, shape and dtype of a tensor."""
    function = names.imports.dotted(maker.func)
    given = _dtype(maker, names)
    match function:
        case "torch.zeros" | "torch.ones":
            return _FILLS[function], _sizes(maker.args, names), given or _DEFAULT
        case "torch.arange" if len(maker.args) == 1:
            return "arange", _sizes(maker.args, names), given or "int64"
        case "torch.eye":
            return "eye", _sizes(maker.args, names), given or _DEFAULT
        case "torch.tril" | "torch.triu" if len(maker.args) == 1 and isinstance(maker.args[0], ast.Call):
            inner = _filled(maker.args[0], names)
            if inner is not None and inner[0] == 1:
                return function.removeprefix("torch."), inner[1], inner[2]
        case "torch.full" if len(maker.args) == 2:
            fill = names.value(maker.args[1])
            usual = {bool: "bool", int: "int64"}.get(type(fill), _DEFAULT)
            return fill, _sizes(maker.args[:1], names), given or usual
        case "torch.tensor":
            return _listed(names.value(maker.args[0]), given)
    if isinstance(maker.func, ast.Name) and maker.func.id == "unpacked" and len(maker.args) == 3:
        text, kind, shape = (names.value(argument) for argument in maker.args)
        return Packed(text=text), list(shape.items), kind.dtype  # type: ignore[union-attr]
    if isinstance(maker.func, ast.Attribute) and isinstance(maker.func.value, ast.Call):
        return _shaped(maker, maker.func.attr, _filled(maker.func.value, names), names)
    return None


def _listed(numbers: Value, kind: str | None) -> tuple[Any, list[Value], str]:
    if not isinstance(numbers, list):
        usual = {bool: "bool", int: "int64"}.get(type(numbers), _DEFAULT)
        return numbers, [], kind or usual
    kinds = {type(number) for number in numbers}
    usual = "bool" if kinds == {bool} else "int64" if kinds <= {bool, int} else _DEFAULT
    return numbers, [len(numbers)], kind or usual


def _shaped(maker: ast.Call, method: str, inner: Any, names: Names) -> tuple[Any, list[Value], str] | None:
    """``torch.arange(9).repeat(3, 1)``, ``torch.tensor([…]).reshape(3, 2)``."""
    if inner is None:
        return None
    fill, shape, kind = inner
    sizes = _sizes(maker.args, names)
    if method == "repeat" and fill == "arange" and sizes[-1:] == [1]:
        return fill, [*sizes[:-1], *shape], kind
    if method in ("reshape", "view") and isinstance(fill, list):
        return fill, sizes, kind
    return None


def _sizes(arguments: list[ast.expr], names: Names) -> list[Value]:
    values = [names.value(argument) for argument in arguments]
    if len(values) == 1 and isinstance(values[0], Tuple):
        return list(values[0].items)
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    return values


def _dtype(call: ast.Call, names: Names) -> str | None:
    """What ``dtype=`` says. Raises NotPlainError for any other keyword."""
    found = None
    for keyword in call.keywords:
        text = (names.imports.dotted(keyword.value) or "").removeprefix("torch.")
        if keyword.arg != "dtype":
            raise not_plain(call, f"{keyword.arg} cannot be said of a parameter or buffer")
        try:
            dtype(text)
        except KeyError:
            raise not_plain(call, "the dtype has to be written out") from None
        found = text
    return found
