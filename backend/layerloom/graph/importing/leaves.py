"""The constructor arguments of a live layer, read back from its attributes and proven by building it again."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, cast

import torch
from torch import nn
from torch.nn.utils import parametrize

from layerloom.catalogue import find, layers, parametrizations, resolve, stored
from layerloom.graph.checking.layers import quietly
from layerloom.graph.importing.errors import ClosedError
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import Parametrization
from layerloom.schema.values import Arguments, DType, FunctionRef, LayerCall, LayerValue, NonFinite, Tuple, Value

_ABSENT = object()


def layer_of(module: nn.Module) -> str | None:
    """The catalogue layer whose forward a module runs unchanged, or None: a subclass that only builds itself
    differently is that layer, too."""
    names = _names()
    for cls in type(module).__mro__:
        if cls in names:
            same = inspect.getattr_static(type(module), "forward") is inspect.getattr_static(cls, "forward")
            return names[cls] if same else None
    return None


@cache
def _names() -> dict[type, str]:
    return {resolve(name): name for name in layers()}


def recovered(module: nn.Module, target: str) -> Arguments:
    """Arguments with which the catalogue layer ``target`` makes a layer like ``module``.

    Those that equal torch's defaults are left out, as a person leaves them out.

    Raises:
        ClosedError: an argument cannot be read, or the layer made from them is another one.
    """
    entry = find(target)
    assert entry is not None
    arguments: dict[str, Any] = {}
    for spec in entry.parameters:
        value = _read(module, target, spec)
        if value is _ABSENT:
            if spec.required:
                raise ClosedError(f"{entry.label} keeps nothing of its argument {spec.name}")
        elif not _is_default(value, target, spec):
            arguments[spec.name] = _short(value, spec)
    dtype = next((tensor.dtype for tensor in module.parameters() if tensor.is_floating_point()), torch.float32)
    _prove(module, target, arguments, dtype)
    return {name: _written(value) for name, value in arguments.items()}


def parametrizations_of(module: nn.Module) -> list[Parametrization]:
    """The functions of ``torch.nn.utils.parametrizations`` by which a layer's tensors are made, innermost first.

    Raises:
        ClosedError: something else makes them, or an argument cannot be read.
    """
    if not parametrize.is_parametrized(module):
        return []
    held = cast("nn.ModuleDict", module.parametrizations)
    several = ((tensor, made) for tensor, listed in held.items() for made in cast("nn.ModuleList", listed))
    return [_parametrization(made, tensor, getattr(module, tensor)) for tensor, made in several]


def _parametrization(made: nn.Module, name: str, value: torch.Tensor) -> Parametrization:
    for function, entry in parametrizations().items():
        arguments: dict[str, Any] = {}
        for spec in entry.parameters:
            found = name if spec.name == "name" else getattr(made, spec.name, _ABSENT)
            found = found.name if isinstance(found, Enum) else found
            if found is not _ABSENT and not _same(found, spec.default):
                arguments[spec.name] = found
        if _makes(function, arguments, made, name, value.shape):
            written = {key: _written(argument) for key, argument in arguments.items()}
            return Parametrization(function=function, arguments=written)
    raise ClosedError(f"a {type(made).__name__} makes its {name}, which the catalogue does not have")


def _makes(function: str, arguments: Mapping[str, Any], made: nn.Module, name: str, shape: torch.Size) -> bool:
    """Whether a function puts just such a thing in front of a tensor."""
    holder = nn.Module()
    numbers = torch.linspace(0.1, 1.0, shape.numel()).reshape(shape)
    holder.register_parameter(name, nn.Parameter(numbers))
    try:
        with torch.random.fork_rng(devices=[]):
            resolve(function)(holder, **arguments)
    except Exception:
        return False
    twin = cast("Any", holder.parametrizations)[name][0]
    settings = _settings(twin).items()
    return type(twin) is type(made) and all(_same(made.__dict__.get(key), value) for key, value in settings)


def _read(module: nn.Module, target: str, spec: ParameterSpec) -> Any:
    """What a layer keeps of a constructor argument."""
    where = stored(target, spec.name)
    found: Any = module
    for step in where.place.split("."):
        found = getattr(found, step, getattr(found, f"_{step}", _ABSENT))
        if found is _ABSENT or inspect.ismethod(found):
            return _ABSENT
    if where.read == "all but the last":
        return found[:-1]
    if where.read == "presence" or (isinstance(found, torch.Tensor) and "bool" in spec.kinds):
        return found is not None
    if found is None and spec.kinds[0] == "bool" and not spec.nullable:
        return False  # bias=False leaves None behind
    return found


@cache
def _defaults(target: str) -> Mapping[str, Any]:
    parameters = inspect.signature(resolve(target)).parameters
    return {name: parameter.default for name, parameter in parameters.items()}


def _is_default(value: Any, target: str, spec: ParameterSpec) -> bool:
    if spec.required:
        return False
    default = _defaults(target).get(spec.name, _ABSENT)
    if default is _ABSENT or default is inspect.Parameter.empty:
        # Behind *args and **kwargs (recurrent layers) only the catalogue knows.
        return not isinstance(value, nn.Module) and _same(_written(value), spec.default)
    return _same(value, default) or _same(_short(value, spec), default)


def _short(value: Any, spec: ParameterSpec) -> Any:
    """A size as a person writes it: ``3`` for ``(3, 3)``."""
    if "size" in spec.kinds and isinstance(value, tuple) and value and len(set(value)) == 1:
        return value[0]
    return value


def _prove(module: nn.Module, target: str, arguments: Mapping[str, Any], dtype: torch.dtype) -> None:
    """Build the layer again, without memory, and compare all that a forward may look at."""
    label = target.rpartition(".")[2]
    around = parametrizations_of(module)
    try:
        with quietly("cpu" if around else "meta"):
            twin = resolve(target)(**{name: _built(value) for name, value in arguments.items()}).to(dtype)
            for made in around:
                resolve(made.function)(twin, **{name: _thawed(value) for name, value in made.arguments.items()})
    except Exception as error:
        raise ClosedError(f"{label} cannot be made from its attributes: {str(error)[:200]}") from error
    ours, others = dict(module.named_modules()), dict(twin.named_modules())
    if list(ours) != list(others):
        raise ClosedError(f"{label} holds other layers than one made from its attributes")
    for name, twins in others.items():
        own = ours[name]
        for kind in ("_parameters", "_buffers"):
            if _tensors(getattr(own, kind)) != _tensors(getattr(twins, kind)):
                raise ClosedError(f"{label} holds other tensors than one made from its attributes")
        for key, value in _settings(twins).items():
            mine = own.__dict__.get(key, _ABSENT)
            if not _same(mine, value) and not _same_sizes(mine, value):
                raise ClosedError(f"{label} has {key}={mine!r}, and one made from its attributes {value!r}"[:300])


def _tensors(held: Mapping[str, torch.Tensor | None]) -> dict[str, Any]:
    return {name: None if tensor is None else (tuple(tensor.shape), tensor.dtype) for name, tensor in held.items()}


def _settings(module: nn.Module) -> dict[str, Any]:
    """Plain attributes: what a forward reads beside tensors and inner layers."""
    plain = (bool, int, float, str, tuple, list, type(None), torch.dtype)
    return {
        name: value
        for name, value in module.__dict__.items()
        if isinstance(value, plain) and name != "training" and not name.startswith(("_parameters", "_flat_weight"))
    }


def _same_sizes(one: Any, other: Any) -> bool:
    """``1`` and ``(1, 1)`` are one size for a layer that takes either."""
    ones, others = ({*value} if isinstance(value, tuple | list) else {value} for value in (one, other))
    return len(ones) == 1 and ones == others and all(type(item) is int for item in ones)


def _same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    if isinstance(one, torch.Tensor | nn.Module):
        return one is other
    return bool(one == other)


def _built(value: Any) -> Any:
    """A layer that was given to the constructor, made anew from its own attributes."""
    if isinstance(value, nn.Module):
        target = layer_of(value)
        if target is None:
            raise ClosedError(f"a {type(value).__name__} was given to its constructor")
        return rebuilt(target, recovered(value, target))
    return value


def rebuilt(target: str, arguments: Arguments) -> nn.Module:
    """A layer made from recovered arguments."""
    made = resolve(target)(**{name: _thawed(item) for name, item in arguments.items()})
    assert isinstance(made, nn.Module)
    return made


def _thawed(value: Value) -> Any:
    match value:
        case Tuple(items=items):
            return tuple(_thawed(item) for item in items)
        case list():
            return [_thawed(item) for item in value]
        case NonFinite(text=text):
            return float(text)
        case DType(dtype=name):
            return getattr(torch, name)
        case FunctionRef(name=name):
            return resolve(name)
        case LayerValue(layer=layer):
            return rebuilt(layer.target, layer.arguments)
    return value


def _written(value: Any) -> Value:
    """A Python value as a document's. Raises ClosedError for what a document cannot carry."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else NonFinite(text=str(value))
        case tuple():
            return Tuple(items=[_written(item) for item in value])
        case list():
            return [_written(item) for item in value]
        case torch.dtype():
            return DType(dtype=str(value).removeprefix("torch."))
        case nn.Module():
            target = layer_of(value)
            if target is not None:
                return LayerValue(layer=LayerCall(target=target, arguments=recovered(value, target)))
        case _ if callable(value):
            name = function_name(value)
            if name is not None:
                return FunctionRef(name=name)
    raise ClosedError(f"a document cannot carry a {type(value).__name__}")


def function_name(function: Any) -> str | None:
    """The catalogue name of a function that is passed as a value, or None."""
    label = getattr(function, "__name__", "")
    for place in ("torch.nn.functional", "torch"):
        name = f"{place}.{label}"
        if find(name) is not None and resolve(name) is function:
            return name
    return None
