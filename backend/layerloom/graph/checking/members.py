"""Members as written: layers, blocks and tensors that exist, with the arguments that they need."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from layerloom.catalogue import dtype, initializers, layers, parametrizations
from layerloom.graph.checking.buffers import check_fill
from layerloom.graph.checking.findings import Findings, Place, hint, near, pointer, removing, replacing, shown
from layerloom.graph.checking.wording import (
    check_dtype,
    check_expression,
    check_layer,
    check_value,
    unknown_argument,
    unknown_name,
)
from layerloom.graph.errors import GraphError
from layerloom.graph.places import DEPTH_LIMIT
from layerloom.graph.walk import pointer_of, positional, steps
from layerloom.schema.document import (
    CONTAINERS,
    Alias,
    Block,
    BlockArgument,
    BlockUse,
    Buffer,
    Document,
    Item,
    Layer,
    Member,
    Opaque,
    Parameter,
    ParameterDict,
    ParameterInit,
    ParameterList,
    Parametrization,
    Repeat,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Auto, Expr, NonFinite, Ref, Value

_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}


def check_members(document: Document, findings: Findings) -> bool:
    """The members of every block, and what their arguments name. Whether all are plain layers without initializers."""
    plain = True
    for name, block in document.blocks.items():
        base = pointer_of(name)
        for index, argument in enumerate(block.arguments):
            place = Place(block=name, port=argument.name, pointer=pointer(base, "arguments", index, "default"))
            if not argument.required and argument.default is not None:
                check_typed(findings, argument, argument.default, place, ())
        scope = {argument.name for argument in block.arguments}
        for index, member in enumerate(block.members):
            if plainly_well(member):
                continue
            plain = False
            place = Place(block=name, member=member.name, pointer=pointer(base, "members", index))
            if isinstance(member, Alias):
                _check_alias(document, findings, block, index, member, place)
            else:
                _Members(document, findings).check(member, place, scope, 1)
    for index, rule in enumerate(document.init):
        place = Place(pointer=pointer("/init", index))
        for number, target in enumerate(rule.types):
            if target not in layers():
                at = place.below("types", number)
                unknown_name(findings, ProblemCode.UNKNOWN_LAYER, "layer", target, at)
        check_statements(findings, rule.statements, place.below("statements"))
    return plain


def plainly_well(member: Member) -> bool:
    """Whether a member is of the kind of which there are thousands: a layer with numbers and automatic sizes for
    arguments that it has. (The long way comes to the same, ten times slower.)
    """
    names = _names(member.target) if type(member) is Layer else None
    if type(member) is not Layer or names is None or member.init or member.parametrizations or member.when is not None:
        return False
    takes, needs, automatic = names
    if not (takes >= member.arguments.keys() and needs <= member.arguments.keys()):
        return False
    for name, value in member.arguments.items():
        kind = type(value)
        if not (kind is int or kind is bool or kind is str or kind is float or (kind is Auto and name in automatic)):
            return False
    return True


@lru_cache(maxsize=4096)
def _names(target: str) -> tuple[frozenset[str], frozenset[str], frozenset[str]] | None:
    """The names of a layer's arguments: all, those that it needs, those that may be automatic."""
    entry = layers().get(target)
    if entry is None:
        return None
    return (
        frozenset(parameter.name for parameter in entry.parameters),
        frozenset(parameter.name for parameter in entry.parameters if parameter.required),
        frozenset(parameter.name for parameter in entry.parameters if parameter.auto),
    )


class _Members:
    """Walks the members of one block."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self._document = document
        self._findings = findings

    def check(self, member: Member | Item, place: Place, scope: Collection[str], depth: int) -> None:
        """Report what is wrong in a member and everything inside it, and mark it broken."""
        if depth > DEPTH_LIMIT:
            message = f"containers are nested more than {DEPTH_LIMIT} deep. Make some of them blocks."
            self._findings.add(ProblemCode.TOO_DEEP, message, place)
            self._findings.breaks(place.pointer or "")
            return
        well = self._condition(member, place, scope, depth)
        match member:
            case Repeat():
                at = place.below("over", "$expr")
                well &= check_expression(self._findings, member.over.expr, at, scope)
                inner = {*scope, *member.variables}
                self.check(member.item, place.below("item"), inner, depth)
            case Layer():
                well &= check_layer(self._findings, member.target, member.arguments, place)
                well &= self._values(member, place, scope)
                well &= check_parametrizations(self._findings, member.parametrizations, place.below("parametrizations"))
                check_statements(self._findings, member.init, place.below("init"), scope)
            case BlockUse():
                well &= self._use(member, place, scope)
            case Parameter() | Buffer():
                well &= self._tensor(member, place, scope)
            case Opaque():
                self._opaque(member, place)
            case _:
                self._items(member, place, scope, depth)
        if not well:
            self._findings.breaks(place.pointer or "")

    def _condition(self, member: Member | Item, place: Place, scope: Collection[str], depth: int) -> bool:
        condition = None if isinstance(member, Repeat | Alias) else member.when
        if condition is None:
            return True
        at = place.below("when")
        if depth > 1:
            message = "only a member of a block can depend on a condition, not an item of a container."
            self._findings.add(
                ProblemCode.ARGUMENT_INVALID, message, at, fixes=[removing("Always have it", at.pointer or "")]
            )
            return False
        return check_expression(self._findings, condition, at, scope)

    def _items(self, container: Member | Item, place: Place, scope: Collection[str], depth: int) -> None:
        assert isinstance(container, CONTAINERS)
        by_place = positional(container)
        tensors = isinstance(container, ParameterList | ParameterDict)
        for index, item in enumerate(container.items):
            name = str(index) if by_place or isinstance(item, Repeat) else item.name
            at = Place(place.block, None, f"{place.member}.{name}", None, None, f"{place.pointer}/items/{index}")
            what = item
            while isinstance(what, Repeat):
                what = what.item
            if tensors != isinstance(what, Parameter):
                message = f"a {container.kind} cannot hold a {what.kind}."
                self._findings.add(ProblemCode.ARGUMENT_INVALID, message, at)
                self._findings.breaks(at.pointer or "")
            self.check(item, at, scope, depth + 1)

    def _values(self, layer: Layer, place: Place, scope: Collection[str]) -> bool:
        entry = layers().get(layer.target)
        automatic = {parameter.name for parameter in entry.parameters if parameter.auto} if entry else set()
        well = True
        for name, value in layer.arguments.items():
            if type(value) is not int:
                at = place.at(name, "arguments", name)
                well &= check_value(self._findings, value, at, scope, automatic=name in automatic)
        return well

    def _use(self, use: BlockUse, place: Place, scope: Collection[str]) -> bool:
        block = self._document.blocks.get(use.block)
        if block is None:
            close = near(use.block, self._document.blocks)
            at = place.below("block")
            fixes = [replacing(f"Use {name}", at.pointer or "", name) for name in close]
            message = f"there is no block {shown(use.block)}.{hint(close)}"
            self._findings.add(ProblemCode.UNKNOWN_BLOCK, message, at, data={"nearest": close}, fixes=fixes)
            return False
        known = {argument.name: argument for argument in block.arguments}
        well = True
        for name, value in use.arguments.items():
            at = place.at(name, "arguments", name)
            if name not in known:
                well = unknown_argument(self._findings, name, known, use.block, at)
            else:
                well &= check_typed(self._findings, known[name], value, at, scope)
        for argument in block.arguments:
            if argument.required and argument.name not in use.arguments:
                at = Place(place.block, None, place.member, None, argument.name, place.pointer)
                message = f"{use.block} needs a value for its argument {shown(argument.name)}."
                self._findings.add(ProblemCode.MISSING_ARGUMENT, message, at)
                well = False
        return well

    def _opaque(self, member: Opaque, place: Place) -> None:
        """What could not be opened. It is no broken member: everything around it is judged as usual."""
        what = f"a {member.type}" if member.type else "a module"
        message = f"{shown(member.name)} stands for {what} that could not be opened."
        message += f" The reason is: {member.note.rstrip('.')}." if member.note else ""
        message += " Put a block of your own in its place, or remove it."
        data = {"type": member.type, "note": member.note}
        self._findings.add(ProblemCode.OPAQUE_MEMBER, message, place, data=data)

    def _tensor(self, member: Parameter | Buffer, place: Place, scope: Collection[str]) -> bool:
        well = check_dtype(self._findings, member.dtype, place.below("dtype"))
        for index, size in enumerate(member.shape):
            at = place.at("shape", "shape", index)
            well &= check_value(self._findings, size, at, scope)
            if isinstance(size, Expr | Ref | Auto):
                continue
            if isinstance(size, bool) or not isinstance(size, int):
                message = f"an axis of {shown(member.name)} must be a whole number."
                self._findings.add(ProblemCode.ARGUMENT_TYPE, message, at)
                well = False
            elif not 0 < size < 2**63:
                code = ProblemCode.ARGUMENT_RANGE if size <= 0 else ProblemCode.OVERFLOW
                message = f"an axis of {shown(member.name)} must be at least 1 and below 2**63, not {size}."
                self._findings.add(code, message, at)
                well = False
        if isinstance(member, Buffer):
            return check_fill(self._findings, member, place, scope) and well
        kind = dtype(member.dtype) if well else None
        if kind and member.requires_grad and not (kind.is_floating_point or kind.is_complex):
            at = place.at("dtype", "dtype")
            fixes = [replacing("Use float32", at.pointer or "", "float32")]
            message = f"only floating point parameters can train, and {shown(member.name)} is {member.dtype}."
            self._findings.add(ProblemCode.DTYPE_MISMATCH, message, at, fixes=fixes)
            well = False
        check_statements(self._findings, member.init, place.below("init"), scope)
        return well


def check_typed(findings: Findings, argument: BlockArgument, value: Value, at: Place, scope: Collection[str]) -> bool:
    """A block argument's value: of its type, or an expression."""
    if not check_value(findings, value, at, scope):
        return False
    if value is None or isinstance(value, Expr) or _fits(argument.type, value):
        return True
    message = f"the argument {shown(argument.name)} must be of type {argument.type}."
    findings.add(ProblemCode.ARGUMENT_TYPE, message, at, data={"expected": argument.type})
    return False


def _fits(kind: str, value: Value) -> bool:
    if kind.startswith("list"):
        inner = kind.removeprefix("list[").removesuffix("]")
        return isinstance(value, list) and all(isinstance(item, Expr) or _fits(inner, item) for item in value)
    if isinstance(value, bool):
        return kind == "bool"
    return isinstance(value, _TYPES[kind]) or (kind == "float" and isinstance(value, NonFinite))


def _check_alias(document: Document, findings: Findings, block: Block, index: int, alias: Alias, place: Place) -> None:
    at = place.below("of")
    earlier = [member.name for member in block.members[:index]]
    head = alias.of.partition(".")[0]
    message = ""
    try:
        if head not in earlier:
            message = f"there is no earlier member {shown(head)} that {shown(alias.name)} could stand for."
        else:
            steps(document, place.block or "", alias.of)
    except GraphError as error:
        message = f"{error}."
    if message:
        close = near(alias.of, earlier)
        fixes = [replacing(f"Stand for {name}", at.pointer or "", name) for name in close]
        findings.add(ProblemCode.UNKNOWN_MEMBER, message + hint(close), at, data={"nearest": close}, fixes=fixes)
        findings.breaks(place.pointer or "")


def check_parametrizations(findings: Findings, given: list[Parametrization], place: Place) -> bool:
    """Parametrizations that exist, with arguments that they have."""
    known = parametrizations()
    well = True
    for index, made in enumerate(given):
        at = place.below(index)
        entry = known.get(made.function)
        if entry is None:
            where = at.below("function")
            well = unknown_name(findings, ProblemCode.UNKNOWN_OPERATION, "parametrization", made.function, where)
            continue
        names = [parameter.name for parameter in entry.parameters]
        for name, value in made.arguments.items():
            where = at.at(name, "arguments", name)
            if name not in names:
                well = unknown_argument(findings, name, names, entry.label, where)
            else:
                well &= check_value(findings, value, where, ())
    return well


def check_statements(
    findings: Findings, statements: list[ParameterInit], place: Place, scope: Collection[str] = ()
) -> None:
    """Initializers that exist, with arguments that they have."""
    known = initializers()
    for index, statement in enumerate(statements):
        at = place.below(index)
        entry = known.get(statement.function)
        if entry is None:
            where = at.below("function")
            unknown_name(findings, ProblemCode.UNKNOWN_INITIALIZER, "initializer", statement.function, where)
            continue
        well = True
        names = [parameter.name for parameter in entry.parameters]
        for name, value in statement.arguments.items():
            where = at.at(name, "arguments", name)
            if name not in names:
                well = unknown_argument(findings, name, names, entry.label, where)
            else:
                well &= check_value(findings, value, where, scope)
        for parameter in entry.parameters:
            if parameter.required and parameter.name not in statement.arguments:
                message = f"{entry.label} needs a value for {parameter.name}."
                findings.add(ProblemCode.MISSING_ARGUMENT, message, at)
                well = False
        if not well:
            findings.breaks(at.pointer or "")
