"""Values of documents, and lists of arguments, as code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from layerloom.catalogue import dtype, find
from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.expressions import parse
from layerloom.graph.source.imports import Imports
from layerloom.graph.walk import constructor_arguments
from layerloom.schema import values
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.document import Block
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


def _no_reference(ref: Ref) -> Code:
    raise ValueError(f"a reference to {ref.ref[:80]!r} outside forward")


def _written_out(value: Value) -> None:  # noqa: ARG001  no variable holds it
    return None


@dataclass(frozen=True)
class Values:
    """Writes values in one place: ``__init__``, where arguments are local names, or ``forward``."""

    imports: Imports
    rename: Mapping[str, str] = field(default_factory=dict)
    """What the names in expressions are called here: ``heads`` is ``self.heads`` in forward."""
    reference: Callable[[Ref], Code] = _no_reference
    choice: Callable[[If], Ref | None] = _written_out
    """The reference that stands for both sides of a choice, where there is one."""
    listed: Callable[[Value], Code | None] = _written_out
    """The variable that holds a list, where there is one."""

    def write(self, value: Value) -> Code:
        match value:
            case None | bool() | int() | float() | str():
                return code.literal(value)
            case list():
                return self.listed(value) or code.sequence([self.write(item) for item in value])
            case Tuple(items=items):
                return code.sequence([self.write(item) for item in items], "()")
            case values.Mapping(items=mapping):
                pairs = [code.pair(code.literal(key), self.write(item)) for key, item in mapping.items()]
                return code.sequence(pairs, "{}")
            case Slice(parts=parts):
                return code.call(code.name("slice"), [self.write(part) for part in parts])
            case Ellipsis():
                return Code(("...",), bare=True)
            case DType(dtype=name):
                return self.scalar_type(name)
            case NonFinite(text=text):
                return code.literal(float(text))
            case FunctionRef(name=name):
                return self.imports.target(name)
            case If(test=test, then=then, otherwise=otherwise):
                one = self.choice(value)
                if one is not None:
                    return self.reference(one)
                return code.conditional(self.write(then), parse(test).code(self.rename), self.write(otherwise))
            case LayerValue(layer=layer):
                return self.layer(layer.target, layer.arguments)
            case Expr(expr=text):
                return parse(text).code(self.rename)
            case Ref():
                return self.reference(value)
            case Auto():
                raise ValueError("an automatic size has to be filled in before source is written")

    def scalar_type(self, name: str) -> Code:
        dtype(name)
        return self.imports.torch(f"torch.{name}")

    def index(self, value: Value) -> list[Code]:
        """The items inside ``x[…]``, slices with colons."""
        if isinstance(value, Tuple) and value.items:
            items = [self._index_item(item) for item in value.items]
            return items if len(items) > 1 else [self.write(value)]
        return [self._index_item(value)]

    def _index_item(self, value: Value) -> Code:
        if isinstance(value, Slice):
            return code.span([None if part is None else self.write(part) for part in value.parts])
        return self.write(value)

    def layer(self, target: str, arguments: Arguments) -> Code:
        """``nn.Conv2d(1, 16, 3, padding=1)``."""
        entry = find(target)
        specs = entry.parameters if entry else []
        if specs and specs[0].kinds[0] == "float":
            # One says nn.Dropout(0.5) and nn.LeakyReLU(0.1).
            specs = [specs[0].model_copy(update={"required": True}), *specs[1:]]
        return code.call(self.imports.target(target), self.arguments(specs, arguments))

    def block(self, name: str, block: Block, arguments: Arguments) -> Code:
        """``ResidualBlock(width, stride=2)``."""
        specs = [
            ParameterSpec(name=argument.name, kinds=["any"], required=argument.required)
            for argument in constructor_arguments(block)
        ]
        return code.call(code.name(name), self.arguments(specs, arguments))

    def arguments(self, specs: Sequence[ParameterSpec], given: Arguments) -> list[Code]:
        """Arguments in the signature's order: the leading required ones by position, the rest by name."""
        written: list[Code] = []
        by_position = True
        rest = dict(given)
        if len(specs) > 1 and specs[1].required and not specs[0].required and specs[0].name not in rest:
            specs = specs[1:]  # torch.arange(end)
        for spec in specs:
            if spec.name not in rest:
                by_position = False
                continue
            value = rest.pop(spec.name)
            if spec.variadic and by_position:
                written.extend(self._spread(value))
            elif by_position and spec.required and not spec.keyword:
                written.append(self.write(value))
            else:
                by_position = False
                written.append(code.keyword(spec.name, self.write(value)))
        written.extend(code.keyword(name, self.write(value)) for name, value in rest.items())
        return written

    def _spread(self, value: Value) -> list[Code]:
        """The separate arguments of a variadic parameter: ``x.view(n, -1)``."""
        items = value.items if isinstance(value, Tuple) else value
        if isinstance(items, list):
            return [self.write(item) for item in items] or [self.write(value)]
        # A reference or expression may be one number or a list of them; torch takes both in this place.
        return [self.write(value)]
