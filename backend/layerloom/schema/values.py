"""Values as documents carry them.

JSON scalars and lists stand for themselves. Everything else that Python has and JSON lacks is an object
with one tag: ``{"$ref": "conv"}``, ``{"$expr": "2 * width"}``, ``{"$tuple": [3, 3]}``. A value never carries
code: expressions are text in a small grammar of their own (see ``layerloom.graph.expressions``), and functions
and dtypes are names that are looked up in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, Tag
from typing_extensions import TypeAliasType

from layerloom.schema.base import Wire


class Ref(Wire):
    """The result of another node, or a forward input of the block, by its id.

    ``path`` selects inside a result that is a tuple, list or dict: of ``output, (h_n, c_n)`` the cell state
    is ``[1, 1]``. An empty path is the whole result.
    """

    ref: Annotated[str, Field(alias="$ref", max_length=256)]
    path: Annotated[list[StrictInt | StrictStr], Field(max_length=8)] = []


class Expr(Wire):
    """An expression over the arguments of the enclosing block, such as ``kernel_size // 2``."""

    expr: Annotated[str, Field(alias="$expr", max_length=2_000)]


class Auto(Wire):
    """A size that the incoming tensor determines; the check fills it in."""

    auto: Annotated[Literal[True], Field(alias="$auto")] = True


class Tuple(Wire):
    """A Python tuple, where a list would mean something else (``padding=(1, 2)``)."""

    items: Annotated[list[Value], Field(alias="$tuple")]


class Mapping(Wire):
    """A dict with text keys: a network that returns several named outputs."""

    items: Annotated[dict[str, Value], Field(alias="$dict")]


class Slice(Wire):
    """``start:stop:step`` in an index."""

    parts: Annotated[list[Value], Field(alias="$slice", min_length=3, max_length=3)]


class Ellipsis(Wire):
    """``...`` in an index."""

    ellipsis: Annotated[Literal[True], Field(alias="$ellipsis")] = True


class DType(Wire):
    """A torch dtype by its name: ``float32``."""

    dtype: Annotated[str, Field(alias="$dtype", max_length=64)]


class NonFinite(Wire):
    """A float that JSON cannot say."""

    text: Annotated[Literal["inf", "-inf", "nan"], Field(alias="$float")]


class FunctionRef(Wire):
    """A torch function passed as a value (``activation=torch.nn.functional.gelu``), by its catalogue name."""

    name: Annotated[str, Field(alias="$function", max_length=256)]


class If(Wire):
    """One of two values by an expression, mostly ``training``: what a forward does otherwise while it trains."""

    test: Annotated[str, Field(alias="$if", max_length=2_000)]
    then: Value
    otherwise: Annotated[Value, Field(alias="else")]


class Packed(Wire):
    """The numbers of a tensor, row by row: base64 of their zlib-compressed bytes, little end first."""

    text: Annotated[str, Field(alias="$packed", max_length=2**21)]


class LayerCall(Wire):
    """A catalogue layer and the arguments that construct it."""

    target: Annotated[str, Field(max_length=256)]
    arguments: dict[str, Value] = {}


class LayerValue(Wire):
    """A layer passed to another layer's constructor (``TransformerEncoder(encoder_layer=...)``)."""

    layer: Annotated[LayerCall, Field(alias="$layer")]


_SCALARS: dict[type, str] = {bool: "bool", int: "int", float: "float", str: "str", list: "list"}
_TAGGED: dict[type[Wire], str] = {
    Ref: "$ref",
    Expr: "$expr",
    Auto: "$auto",
    Tuple: "$tuple",
    Mapping: "$dict",
    Slice: "$slice",
    Ellipsis: "$ellipsis",
    DType: "$dtype",
    NonFinite: "$float",
    FunctionRef: "$function",
    LayerValue: "$layer",
    If: "$if",
}
_TAGS = frozenset(_TAGGED.values())


def _tag(value: Any) -> str | None:
    """Which member of the union a raw or parsed value is; None makes pydantic name the allowed tags."""
    if value is None:
        return "none"
    if isinstance(value, dict):
        return next((key for key in value if key in _TAGS), None)
    return _SCALARS.get(type(value)) or _TAGGED.get(type(value))


# One dispatch on a tag instead of trying fifteen types in turn: a 500-node document parses in milliseconds, and an
# error names the tag that is wrong instead of listing every type that the value is not.
Value = TypeAliasType(
    "Value",
    Annotated[
        Annotated[None, Tag("none")]
        | Annotated[StrictBool, Tag("bool")]
        | Annotated[StrictInt, Tag("int")]
        | Annotated[StrictFloat, Tag("float")]
        | Annotated[StrictStr, Field(max_length=10_000), Tag("str")]
        | Annotated["list[Value]", Tag("list")]
        | Annotated[Ref, Tag("$ref")]
        | Annotated[Expr, Tag("$expr")]
        | Annotated[Auto, Tag("$auto")]
        | Annotated[Tuple, Tag("$tuple")]
        | Annotated[Mapping, Tag("$dict")]
        | Annotated[Slice, Tag("$slice")]
        | Annotated[Ellipsis, Tag("$ellipsis")]
        | Annotated[DType, Tag("$dtype")]
        | Annotated[NonFinite, Tag("$float")]
        | Annotated[FunctionRef, Tag("$function")]
        | Annotated[LayerValue, Tag("$layer")]
        | Annotated[If, Tag("$if")],
        Discriminator(_tag),
    ],
)
Arguments: TypeAlias = dict[str, Value]

for _model in (Tuple, Mapping, Slice, LayerCall, LayerValue, If):
    _model.model_rebuild()


def children(value: Value) -> list[Value]:
    """The values directly inside a value, in reading order."""
    match value:
        case list():
            return value
        case Tuple(items=items):
            return items
        case Mapping(items=mapping):
            return list(mapping.values())
        case Slice(parts=parts):
            return parts
        case LayerValue(layer=layer):
            return list(layer.arguments.values())
        case If(then=then, otherwise=otherwise):
            return [then, otherwise]
        case _:
            return []


def walk(value: Value) -> Iterator[Value]:
    """A value and everything inside it, outermost first."""
    yield value
    for child in children(value):
        yield from walk(child)


def expressions(value: Value) -> Iterator[str]:
    """The text of every expression inside a value, the tests of its conditions among them."""
    for part in walk(value):
        if isinstance(part, Expr):
            yield part.expr
        elif isinstance(part, If):
            yield part.test


def refs(value: Value) -> Iterator[Ref]:
    """Every reference to another node inside a value, in reading order."""
    return (part for part in walk(value) if isinstance(part, Ref))


def replace(value: Value, change: Callable[[Value], Value]) -> Value:
    """A value with ``change`` applied to each leaf and then to each composite, inside out."""
    match value:
        case list():
            value = [replace(item, change) for item in value]
        case Tuple(items=items):
            value = Tuple(items=[replace(item, change) for item in items])
        case Mapping(items=mapping):
            value = Mapping(items={key: replace(item, change) for key, item in mapping.items()})
        case Slice(parts=parts):
            value = Slice(parts=[replace(item, change) for item in parts])
        case LayerValue(layer=layer):
            arguments = {key: replace(item, change) for key, item in layer.arguments.items()}
            value = LayerValue(layer=LayerCall(target=layer.target, arguments=arguments))
        case If(test=test, then=then, otherwise=otherwise):
            value = If(test=test, then=replace(then, change), otherwise=replace(otherwise, change))
    return change(value)
