"""The body of ``__init__``: one statement for every member of a block."""

from __future__ import annotations

from typing import Any

from layerloom.catalogue import find
from layerloom.graph import code
from layerloom.graph.code import Code
from layerloom.graph.expressions import parse
from layerloom.graph.names import is_identifier
from layerloom.graph.source.values import Values
from layerloom.graph.walk import DICTS, positional, steps
from layerloom.schema.document import (
    Alias,
    Block,
    BlockUse,
    Buffer,
    Container,
    Document,
    Item,
    Layer,
    Member,
    Opaque,
    Parameter,
    ParameterInit,
    Repeat,
)
from layerloom.schema.values import Packed

_CONTAINERS = {
    "sequential": "Sequential",
    "module_list": "ModuleList",
    "module_dict": "ModuleDict",
    "parameter_list": "ParameterList",
    "parameter_dict": "ParameterDict",
}
_DEFAULT_DTYPE = "float32"


class MemberWriter:
    """Writes the members of one block."""

    def __init__(self, document: Document, name: str, values: Values) -> None:
        self._document = document
        self._name = name
        self._block: Block = document.blocks[name]
        self._values = values

    def lines(self) -> list[str]:
        """Statements at the indentation of a method's body."""
        lines: list[str] = []
        under: str | None = None
        for member in self._block.members:
            condition = None if isinstance(member, Alias) else member.when
            if condition is not None and condition != under:
                lines.append(f"        if {parse(condition).code({})}:")
            under = condition
            inner = 8 if condition is None else 12
            if isinstance(member, Buffer):
                written = code.statement("", self._buffer(member), inner)
            elif isinstance(member, Alias):
                written = self._alias(member)
            elif is_identifier(member.name):
                written = code.statement(f"self.{code.name(member.name)} = ", self._member(member), inner)
            else:
                named = [code.literal(member.name), self._member(member)]
                written = code.statement("", code.call(code.name("self.add_module"), named), inner)
            lines.append(" " * inner + written)
        return lines

    def _alias(self, alias: Alias) -> str:
        """``self.decoder.weight = self.embed.weight``; a buffer has to be registered under its second name, too."""
        source = access(self._document, self._name, alias.of)
        buffer = steps(self._document, self._name, alias.of)[-1].member
        if isinstance(buffer, Buffer) and "." not in alias.name:
            persistence = [] if buffer.persistent else [code.keyword("persistent", code.literal(False))]
            register = code.attribute(code.name("self"), "register_buffer")
            return code.statement("", code.call(register, [code.literal(alias.name), source, *persistence]), 8)
        return code.statement(f"{access(self._document, self._name, alias.name)} = ", source, 8)

    def _member(self, member: Member | Item) -> Code:
        match member:
            case Layer():
                return self._layer(member)
            case BlockUse(block=name, arguments=arguments):
                return self._values.block(name, self._document.blocks[name], arguments)
            case Parameter():
                return self._parameter(member)
            case Buffer() | Alias() | Repeat() | Opaque():
                raise TypeError(f"a {member.kind} cannot stand here")
        return self._container(member)

    def _layer(self, layer: Layer) -> Code:
        """``nn.utils.parametrizations.weight_norm(nn.Linear(4, 3), dim=1)``."""
        written = self._values.layer(layer.target, layer.arguments)
        for made in layer.parametrizations:
            entry = find(made.function)
            assert entry is not None
            rest = self._values.arguments(entry.parameters, made.arguments)
            written = code.call(self._values.imports.target(made.function), [written, *rest])
        return written

    def _container(self, container: Container) -> Code:
        function = code.attribute(code.name("nn"), _CONTAINERS[container.kind])
        if container.kind in DICTS:
            return code.call(function, self._dict(container))
        items = [
            self._repeat(item, starred=container.kind == "sequential" or len(container.items) > 1)
            if isinstance(item, Repeat)
            else self._member(item)
            for item in container.items
        ]
        if container.kind == "sequential":
            return code.call(function, items if positional(container) else [self._ordered(container, items)])
        if len(items) == 1 and isinstance(container.items[0], Repeat):
            return code.call(function, items)
        return code.call(function, [code.sequence(items)] if items else [])

    def _ordered(self, container: Container, items: list[Code]) -> Code:
        """``OrderedDict([("conv", nn.Conv2d(…)), …])``: a Sequential whose items have names of their own."""
        pairs = [
            code.sequence([code.literal(item.name), written], "()")
            for item, written in zip(container.items, items, strict=True)
            if not isinstance(item, Repeat)
        ]
        return code.call(self._values.imports.standard("OrderedDict"), [code.sequence(pairs)])

    def _dict(self, container: Container) -> list[Code]:
        written: list[Code] = []
        alone = len(container.items) == 1
        for item in container.items:
            if isinstance(item, Repeat):
                repeat = self._repeat(item, keyed=True)
                written.append(repeat if alone else Code(("**", *repeat.parts)))
            else:
                written.append(code.pair(code.literal(item.name), self._member(item)))
        if not written:
            return []
        return written if alone and isinstance(container.items[0], Repeat) else [code.sequence(written, "{}")]

    def _repeat(self, repeat: Repeat, *, starred: bool = False, keyed: bool = False) -> Code:
        """``[Block(width) for width in widths]``."""
        clauses = []
        item: Any = repeat
        while isinstance(item, Repeat):
            variables = [code.name(variable) for variable in item.variables]
            clauses.append((Code((", ".join(map(str, variables)),)), parse(item.over.expr).code({})))
            item = item.item
        written = self._member(item)
        if keyed:
            written = code.pair(parse(item.name).code({}), written)
        made = code.comprehension(written, clauses, "{}" if keyed else "[]")
        return code.star(made) if starred else made

    def _parameter(self, parameter: Parameter) -> Code:
        maker = constant(parameter.init, parameter.name) or ("zeros" if parameter.init else "randn")
        tensor = self._tensor(maker, self._shape(parameter.shape), parameter.dtype)
        options = [] if parameter.requires_grad else [code.keyword("requires_grad", code.literal(False))]
        return code.call(code.name("nn.Parameter"), [tensor, *options])

    def _buffer(self, buffer: Buffer) -> Code:
        options = [] if buffer.persistent else [code.keyword("persistent", code.literal(False))]
        register = code.name("self.register_buffer")
        return code.call(register, [code.literal(buffer.name), self._filled(buffer), *options])

    def _filled(self, buffer: Buffer) -> Code:
        sizes = [self._values.write(size) for size in buffer.shape]
        match buffer.fill:
            case 0 | 1:
                return self._tensor("ones" if buffer.fill else "zeros", self._shape(buffer.shape), buffer.dtype)
            case "arange":
                numbers = self._tensor("arange", sizes[-1:], buffer.dtype, usual="int64")
                if len(sizes) == 1:
                    return numbers
                return code.call(code.attribute(numbers, "repeat"), [*sizes[:-1], code.literal(1)])
            case "eye":
                return self._tensor("eye", sizes, buffer.dtype)
            case "tril" | "triu":
                ones = self._tensor("ones", sizes, buffer.dtype)
                return code.call(self._values.imports.torch(f"torch.{buffer.fill}"), [ones])
        shape = code.sequence(sizes, "()")
        if isinstance(buffer.fill, Packed):
            given = [code.literal(buffer.fill.text), self._values.scalar_type(buffer.dtype), shape]
            return code.call(self._values.imports.unpacking(), given)
        if isinstance(buffer.fill, list):
            numbers = self._tensor("tensor", [self._values.write(buffer.fill)], buffer.dtype, self._usual(buffer.fill))
            return numbers if len(sizes) == 1 else code.call(code.attribute(numbers, "reshape"), sizes)
        usual = _DEFAULT_DTYPE if isinstance(buffer.fill, float) else ""
        return self._tensor("full", [shape, self._values.write(buffer.fill)], buffer.dtype, usual)

    def _usual(self, numbers: list[Any]) -> str:
        """The dtype that torch gives a list of numbers."""
        kinds = {type(number) for number in numbers}
        return "bool" if kinds == {bool} else "int64" if kinds <= {bool, int} else _DEFAULT_DTYPE

    def _shape(self, shape: list[Any]) -> list[Code]:
        return [self._values.write(size) for size in shape] or [code.sequence([], "()")]

    def _tensor(self, maker: str, arguments: list[Code], dtype: str, usual: str = _DEFAULT_DTYPE) -> Code:
        """``torch.zeros(3, 4, dtype=torch.int64)``, the dtype being left out where it is the usual one."""
        options = [] if dtype == usual else [code.keyword("dtype", self._values.scalar_type(dtype))]
        return code.call(self._values.imports.torch(f"torch.{maker}"), [*arguments, *options])


def constant(init: list[ParameterInit], name: str) -> str | None:
    """``zeros`` or ``ones``, where an initializer says exactly that, so that the tensor is made so at once."""
    if len(init) != 1 or init[0].arguments or init[0].parameter not in ("*", name):
        return None
    return {"torch.nn.init.zeros_": "zeros", "torch.nn.init.ones_": "ones"}.get(init[0].function)


def access(document: Document, block: str, path: str) -> Code:
    """A member as an expression: ``self.stages[0].conv``, ``self.heads["color"]``, ``self.embed.weight``."""
    written = code.name("self")
    for step in steps(document, block, path):
        if step.kind == "index":
            written = code.index(written, [code.literal(int(step.name))])
        elif step.kind == "key":
            written = code.index(written, [code.literal(step.name)])
        elif is_identifier(step.name):
            written = code.attribute(written, step.name)
        else:
            # A Sequential may have items whose names are no Python names.
            written = code.call(code.name("getattr"), [written, code.literal(step.name)])
    return written
