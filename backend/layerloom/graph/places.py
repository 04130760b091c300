"""A document's blocks as they are built: arguments evaluated, repeats unrolled, blocks opened inside blocks.

>>> for name, instance in instances(document).items():      # "" first, then "stages.0", …
...     for path, place in instance.places.items():          # "conv", "stages", "stages.0", …
...         evaluate(place.member.arguments["stride"], place.environment)

No layer is made here and no tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from layerloom.catalogue import dtype, resolve
from layerloom.graph.counting import Counter
from layerloom.graph.errors import GraphError, refuse
from layerloom.graph.expressions import ExpressionError, Pairs, parse
from layerloom.graph.walk import DICTS, block_of, join, pointer_of, positional
from layerloom.schema import values
from layerloom.schema.document import (
    CONTAINERS,
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
    Repeat,
)
from layerloom.schema.problems import ProblemCode
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

Environment: TypeAlias = Mapping[str, Any]
"""Values of the block arguments and repeat variables that are in scope."""
PLACES_LIMIT = 50_000
"""Members of a whole network, repeats expanded."""
TRAINING = "training"
"""The name that expressions in a forward have for ``self.training``; the check runs in evaluation."""
DEPTH_LIMIT = 16
"""Nesting of containers in each other, and of blocks in each other."""


class Place(NamedTuple):
    """A member as it is built: an item of a repeat has one place for every value. (A tuple, because thousands are made
    in each check.)
    """

    path: str
    """Below its block: ``stages.0.conv``."""
    member: Layer | BlockUse | Opaque | Container | Parameter | Buffer | Alias
    environment: Environment
    """The block's arguments, and the variables of the repeats around the member."""
    pointer: str
    """JSON pointer of the member in the document; places of one repeat share it."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One object of a block: ``layer1.0`` and ``layer1.1`` may be two instances of one class."""

    name: str
    """Qualified module name; empty for the outermost."""
    block: str
    environment: Environment
    places: Mapping[str, Place]
    """By path, in the order of registration: a container stands before its items."""
    kind: str
    """Equal for instances that are built alike: of one block with equal arguments."""


def instances(document: Document, limit: int = PLACES_LIMIT) -> dict[str, Instance]:
    """Every block instance by qualified name, outermost first, each before those inside it.

    Raises GraphError: ``unknown_block``, ``recursion``, ``too_deep``, ``too_many_nodes``, ``expression_invalid``, …
    """
    found: dict[str, Instance] = {}
    main = block_of(document, document.main)
    try:
        scope = environment_of(main, {}, {}, document.main)
    except ExpressionError as error:
        raise _invalid(error, document.main, "", f"{pointer_of(document.main)}/arguments") from None
    _check_count(document, scope, limit)
    budget = _Budget(limit)
    alike: dict[str, dict[str, Place]] = {}
    pending: list[tuple[str, str, Environment, tuple[str, ...]]] = [("", document.main, scope, (document.main,))]
    while pending:
        name, block, environment, around = pending.pop()
        kind = f"{block}({environment!r})"  # 1, 1.0 and True are equal, and differ here
        places = alike.get(kind)
        if places is None:
            places = alike[kind] = _places(document, block, environment, budget)
        else:
            budget.take(block, pointer_of(block), len(places))
        instance = Instance(name, block, {TRAINING: False, **environment}, places, kind)
        found[name] = instance
        inner = []
        for place in instance.places.values():
            if not isinstance(place.member, BlockUse):
                continue
            use = place.member
            if use.block in around:
                message = f"block {use.block} contains itself"
                raise refuse(ProblemCode.RECURSION, message, block=block, member=place.path, pointer=place.pointer)
            if len(around) >= DEPTH_LIMIT:
                message = f"blocks are nested more than {DEPTH_LIMIT} deep"
                raise refuse(ProblemCode.TOO_DEEP, message, block=block, member=place.path, pointer=place.pointer)
            target = block_of(document, use.block, block=block, member=place.path, pointer=f"{place.pointer}/block")
            try:
                inner_scope = environment_of(target, use.arguments, place.environment, use.block)
            except ExpressionError as error:
                raise _invalid(error, block, place.path, f"{place.pointer}/arguments") from None
            inner.append((join(name, place.path), use.block, inner_scope, (*around, use.block)))
        pending.extend(reversed(inner))
    return found


def environment_of(block: Block, given: Arguments, around: Environment, name: str = "") -> dict[str, Any]:
    """Values of a block's arguments: those given, evaluated in the scope around it, and its own defaults.

    Raises ExpressionError, for a required argument without a value, too.
    """
    environment: dict[str, Any] = {}
    for argument in block.arguments:
        if argument.name in given:
            environment[argument.name] = evaluate(given[argument.name], around)
        elif argument.required:
            raise ExpressionError(f"block {name} needs a value for its argument {argument.name}")
        else:
            environment[argument.name] = evaluate(argument.default, {})
    return environment


def evaluate(value: Value, environment: Environment) -> Any:
    """A document's value as Python's: expressions computed, dtypes and functions looked up.

    Raises ExpressionError for what has no value here: automatic sizes, references, layers, unknown names.
    """
    match value:
        case Expr(expr=text):
            result = parse(text).evaluate(environment)
            return list(result) if isinstance(result, Pairs) else result
        case list():
            return [evaluate(item, environment) for item in value]
        case Tuple(items=items):
            return tuple(evaluate(item, environment) for item in items)
        case values.Mapping(items=mapping):
            return {key: evaluate(item, environment) for key, item in mapping.items()}
        case Slice(parts=parts):
            return slice(*(evaluate(part, environment) for part in parts))
        case Ellipsis():
            return ...
        case NonFinite(text=text):
            return float(text)
        case DType(dtype=name):
            return _look_up(dtype, name, "dtype")
        case FunctionRef(name=name):
            return _look_up(resolve, name, "function")
        case If(test=test, then=then, otherwise=otherwise):
            return evaluate(then if parse(test).evaluate(environment) else otherwise, environment)
        case LayerValue():
            raise ExpressionError("a layer can only be given to another layer")
        case Auto():
            raise ExpressionError("this size is automatic and not known yet")
        case Ref():
            raise ExpressionError("a reference to a node has no value outside forward")
    return value


def _look_up(find: Callable[[str], Any], name: str, kind: str) -> Any:
    try:
        return find(name)
    except KeyError:
        raise ExpressionError(f"{name} is no {kind} of the catalogue") from None


def _check_count(document: Document, scope: Environment, limit: int) -> None:
    """Refuse a network of more members than the limit, at the member that leads beyond it."""
    counter = Counter(document, limit, environment_of, passes)
    count = 0
    for number, member in enumerate(block_of(document, document.main).members):
        count += 1 if type(member) is Layer and member.when is None else counter.member(member, scope)
        if count > limit:
            message = f"the network would have more than {limit:,} members"
            pointer = f"{pointer_of(document.main)}/members/{number}"
            raise refuse(ProblemCode.TOO_MANY_NODES, message, block=document.main, member=member.name, pointer=pointer)


@dataclass
class _Budget:
    """Counts places as they are made, for what could not be counted before."""

    limit: int
    used: int = 0

    def take(self, block: str, pointer: str, count: int = 1) -> None:
        self.used += count
        if self.used > self.limit:
            message = f"the network has more than {self.limit} members"
            raise refuse(ProblemCode.TOO_MANY_NODES, message, block=block, pointer=pointer)


def _invalid(error: ExpressionError, block: str, path: str, pointer: str) -> GraphError:
    return refuse(ProblemCode.EXPRESSION_INVALID, str(error), block=block, member=path or None, pointer=pointer)


def _places(document: Document, block: str, environment: Environment, budget: _Budget) -> dict[str, Place]:
    found: dict[str, Place] = {}

    def visit(item: Member | Item, path: str, scope: Environment, pointer: str, depth: int) -> None:
        budget.take(block, pointer)
        if depth > DEPTH_LIMIT:
            message = f"containers are nested more than {DEPTH_LIMIT} deep"
            raise refuse(ProblemCode.TOO_DEEP, message, block=block, member=path, pointer=pointer)
        assert not isinstance(item, Repeat)  # its container unrolls it
        found[path] = Place(path, item, scope, pointer)
        if not isinstance(item, CONTAINERS):
            return
        by_place = positional(item)
        index = 0
        for number, inner in enumerate(item.items):
            for member, inner_scope, inner_pointer in _unroll(inner, scope, f"{pointer}/items/{number}", block, path):
                name = str(index) if by_place else member.name
                if isinstance(inner, Repeat) and item.kind in DICTS:
                    name = _key(member.name, inner_scope, block, path, inner_pointer)
                visit(member, f"{path}.{name}", inner_scope, inner_pointer, depth + 1)
                index += 1

    base = f"{pointer_of(block)}/members"
    for number, member in enumerate(block_of(document, block).members):
        if type(member) is Layer and member.when is None:  # by far the most
            where = f"{base}/{number}"
            budget.take(block, where)
            found[member.name] = Place(member.name, member, environment, where)
            continue
        if not isinstance(member, Alias) and member.when is not None:
            try:
                there = parse(member.when).evaluate(environment)
            except ExpressionError as error:
                raise _invalid(error, block, member.name, f"{base}/{number}/when") from None
            if not there:
                continue
        visit(member, member.name, environment, f"{base}/{number}", 1)
    return found


def _unroll(
    item: Item, scope: Environment, pointer: str, block: str, path: str
) -> Iterator[tuple[Any, Environment, str]]:
    """An item as often as the repeats around it say."""
    if not isinstance(item, Repeat):
        yield item, scope, pointer
        return
    try:
        scopes = passes(item, scope)
    except ExpressionError as error:
        raise _invalid(error, block, path, f"{pointer}/over") from None
    for inner in scopes:
        yield from _unroll(item.item, inner, f"{pointer}/item", block, path)


def passes(repeat: Repeat, around: Environment) -> list[Environment]:
    """The scopes of a repeat's item, one for each value that it runs over. Raises ExpressionError."""
    return [_bind(repeat.variables, value, around) for value in _several(repeat.over.expr, around)]


def _several(text: str, scope: Environment) -> Iterator[Any]:
    found = parse(text).evaluate(scope)
    if not isinstance(found, list | tuple | range | Pairs):
        raise ExpressionError(f"a repeat runs over a list or range, not over a {type(found).__name__}")
    return iter(found)


def _bind(variables: list[str], value: Any, scope: Environment) -> Environment:
    if len(variables) == 1:
        return {**scope, variables[0]: value}
    if not isinstance(value, list | tuple) or len(value) != len(variables):
        raise ExpressionError(f"{len(variables)} variables cannot be filled from {value!r}"[:200])
    return {**scope, **dict(zip(variables, value, strict=True))}


def _key(text: str, scope: Environment, block: str, path: str, pointer: str) -> str:
    """The key of a repeated item of a dict: its name is an expression, most often one of the repeat's variables."""
    try:
        key = parse(text).evaluate(scope)
    except ExpressionError as error:
        raise _invalid(error, block, path, f"{pointer}/name") from None
    if not isinstance(key, str):
        problem = ExpressionError(f"a key must be text, and {text[:80]!r} gives a {type(key).__name__}")
        raise _invalid(problem, block, path, f"{pointer}/name")
    return key
