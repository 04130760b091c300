"""A document's values as frozen ones: expressions computed, references followed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from layerloom.catalogue import dtype, resolve
from layerloom.graph.checking.values import (
    Automatic,
    Frozen,
    Group,
    LayerConfig,
    Number,
    UnfreezableError,
    freeze,
    select,
)
from layerloom.graph.expressions import ExpressionError, Pairs, parse
from layerloom.schema import values
from layerloom.schema.document import Layer
from layerloom.schema.values import (
    Arguments,
    Auto,
    DType,
    Ellipsis,
    Expr,
    FunctionRef,
    If,
    LayerValue,
    NonFinite,
    Ref,
    Slice,
    Tuple,
    Value,
)

INNER = "module"
"""What a parametrization calls the layer that it is given."""
Results = Mapping[str, Frozen]
PlainArguments = tuple[tuple[str, Value | Automatic], ...]


class Waiting(Exception):  # noqa: N818 - it says what is the case, nothing is wrong here
    """A reference to a node whose result is not known, because that or an earlier one failed."""


def read(value: Value, environment: Mapping[str, Any], results: Results | None = None) -> Frozen:
    """A value of a document under the arguments of its block.

    Raises:
        ExpressionError: it has no value: an unknown name, a reference outside forward.
        Waiting: it refers to a result that is not known.
    """
    kind = type(value)
    if kind is int or kind is str or value is None:
        return value  # type: ignore[return-value]
    if kind is bool:
        return Number("bool", value)  # type: ignore[arg-type]
    if kind is float:
        return Number("float", value)  # type: ignore[arg-type]
    match value:
        case Ref(ref=ref, path=path):
            return _result(ref, path, results)
        case Expr(expr=text):
            return _expression(text, environment)
        case list():
            return Group("list", tuple(read(item, environment, results) for item in value))
        case Tuple(items=items):
            return Group("tuple", tuple(read(item, environment, results) for item in items))
        case values.Mapping(items=mapping):
            items_ = tuple(read(item, environment, results) for item in mapping.values())
            return Group("dict", items_, tuple(mapping))
        case Slice(parts=parts):
            return Group("slice", tuple(read(part, environment, results) for part in parts))
        case Ellipsis():
            return ...
        case Auto():
            return Automatic.SIZE
        case DType(dtype=name):
            return _known(dtype, name, "dtype")
        case NonFinite(text=text):
            return Number("float", float(text))
        case FunctionRef(name=name):
            return _known(resolve, name, "function")
        case If(test=test, then=then, otherwise=otherwise):
            return read(then if parse(test).evaluate(environment) else otherwise, environment, results)
        case LayerValue(layer=layer):
            return layer_config(layer.target, layer.arguments, environment)
    raise AssertionError(value)


def member_config(member: Layer, environment: Mapping[str, Any]) -> LayerConfig:
    """A layer with what parametrizes it, each around the one before. Raises ExpressionError."""
    config = layer_config(member.target, member.arguments, environment)
    for made in member.parametrizations:
        own = layer_config(made.function, made.arguments, {})
        config = LayerConfig(own.target, ((INNER, config), *own.arguments))
    return config


def bare(config: LayerConfig) -> LayerConfig:
    """The layer inside its parametrizations."""
    while config.arguments and config.arguments[0][0] == INNER and isinstance(config.arguments[0][1], LayerConfig):
        config = config.arguments[0][1]
    return config


def layer_config(target: str, arguments: Arguments, environment: Mapping[str, Any]) -> LayerConfig:
    """A layer and its arguments. Raises ExpressionError."""
    given = plain(arguments)
    if given is not None:
        return plain_config(target, *given)
    return LayerConfig(target, tuple((name, read(value, environment)) for name, value in arguments.items()))


_PLAIN = frozenset({int, float, bool, str, type(None)})
_PLAIN_OR_AUTO = _PLAIN | {Auto}


def plain(arguments: Arguments) -> tuple[PlainArguments, tuple[type, ...]] | None:
    """Arguments that are numbers, words and automatic sizes alone, as thousands of layers have them, and their types;
    None for others."""
    kinds = tuple(map(type, arguments.values()))
    if _PLAIN.issuperset(kinds):
        return tuple(arguments.items()), kinds
    if not _PLAIN_OR_AUTO.issuperset(kinds):
        return None
    return tuple([(name, Automatic.SIZE if type(value) is Auto else value) for name, value in arguments.items()]), kinds


@lru_cache(maxsize=4096)
def plain_config(target: str, arguments: PlainArguments, kinds: tuple[type, ...]) -> LayerConfig:
    """Equal layers share one configuration. ``kinds`` keeps ``True``, ``1`` and ``1.0`` apart, which are equal."""
    assert len(kinds) == len(arguments)
    return LayerConfig(
        target, tuple((name, value if value is Automatic.SIZE else read(value, {})) for name, value in arguments)
    )


def _result(ref: str, path: list[int | str], results: Results | None) -> Frozen:
    if results is None:
        raise ExpressionError("a reference to a node has no value outside forward")
    if ref not in results:
        raise Waiting
    try:
        return select(results[ref], path)
    except LookupError as error:
        raise ExpressionError(f"the result of {ref[:64]!r} has nothing at {error.args[0]!r}") from None


def _expression(text: str, environment: Mapping[str, Any]) -> Frozen:
    value = parse(text).evaluate(environment)
    try:
        return freeze(list(value) if isinstance(value, Pairs) else value)
    except UnfreezableError as error:
        raise ExpressionError(str(error)) from None


def _known(find: Any, name: str, kind: str) -> Frozen:
    try:
        found: Frozen = find(name)
    except KeyError:
        raise ExpressionError(f"{name[:100]!r} is no {kind} of the catalogue") from None
    return found
