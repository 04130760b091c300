"""Names in the expressions of a block replaced by values: what a class says of its arguments, said of numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from layerloom.graph.editing.names import unique
from layerloom.graph.errors import refuse
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.walk import DICTS, argument_values
from layerloom.schema.document import (
    CONTAINERS,
    Block,
    BlockUse,
    Buffer,
    Graph,
    Item,
    Layer,
    Member,
    Node,
    Parameter,
    ParameterInit,
    Repeat,
)
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Arguments, Expr, If, Tuple, Value, expressions, replace

M = TypeVar("M", Member, Item)
_NEVER = "False"


def condition(member: Any) -> str | None:
    """Under which condition a member of a block is there; None where it always is."""
    found = getattr(member, "when", None)
    return found if isinstance(found, str) else None


@dataclass(frozen=True)
class Substitution:
    """Values by the names that they stand for."""

    values: Mapping[str, Value]

    def block(self, block: Block) -> Block:
        """Members and graph of a block. Raises GraphError where a value cannot be part of an expression."""
        members = [it for it in (self.member(member) for member in block.members) if condition(it) != _NEVER]
        return block.model_copy(update={"members": members, "forward": self.graph(block.forward)})

    def graph(self, graph: Graph) -> Graph:
        nodes = [it for it in (self.node(node) for node in graph.nodes) if it.when != _NEVER]
        return graph.model_copy(update={"nodes": nodes, "output": self.value(graph.output)})

    def node(self, node: Node) -> Node:
        changed: dict[str, Any] = {"when": self.condition(node.when)}
        if node.op != "get":
            changed["arguments"] = self.arguments(node.arguments)
        if node.op == "choose":
            changed["key"] = self.value(node.key)
        return node.model_copy(update=changed)

    def member(self, member: M, *, keyed: bool = False) -> M:
        """A member and all inside it; ``keyed`` says that the name of an item is an expression, too."""
        changed: dict[str, Any] = {}
        match member:
            case Repeat():
                return self._repeat(member, keyed)
            case Layer():
                changed = {"arguments": self.arguments(member.arguments), "init": self._init(member.init)}
            case BlockUse():
                changed = {"arguments": self.arguments(member.arguments)}
            case Parameter():
                changed = {"shape": [self.value(it) for it in member.shape], "init": self._init(member.init)}
            case Buffer():
                fill = self.value(cast(Value, member.fill))  # what is no value has no expressions in it
                changed = {"shape": [self.value(it) for it in member.shape], "fill": fill}
            case _ if isinstance(member, CONTAINERS):
                inner = member.kind in DICTS
                items = [
                    self.member(item, keyed=True) if inner and isinstance(item, Repeat) else self.member(item)
                    for item in member.items
                ]
                changed = {"items": items}
        if keyed:
            changed["name"] = self.text(member.name)
        if condition(member) is not None:
            changed["when"] = self.condition(condition(member))
        return member.model_copy(update=changed)

    def condition(self, text: str | None) -> str | None:
        """A condition; None where it always holds now, and ``False`` where it never does."""
        if text is None:
            return None
        found = as_value(changed) if (changed := self.text(text)) != text else Expr(expr=text)
        if isinstance(found, Expr):
            return found.expr
        return None if found else _NEVER

    def arguments(self, given: Arguments) -> Arguments:
        return {name: self.value(value) for name, value in given.items()}

    def value(self, value: Value) -> Value:
        """A value; an expression in which no name is left becomes what it is."""
        return replace(value, self._part)

    def text(self, text: str) -> str:
        """An expression's text."""
        try:
            tree = parse(text)
            if not tree.names & self.values.keys():
                return text
            put = _Put({name: self._tree(name) for name in tree.names & self.values.keys()})
            changed = ast.unparse(put.visit(deepcopy(tree.tree)))
            parse(changed)
        except ExpressionError as error:
            raise refuse(ProblemCode.EXPRESSION_INVALID, f"{text[:80]} with its arguments put in: {error}") from None
        return changed

    def _part(self, value: Value) -> Value:
        if isinstance(value, If):
            test = self.condition(value.test)
            if test is None or test == _NEVER:
                return value.otherwise if test else value.then
            return If(test=test, then=value.then, otherwise=value.otherwise)
        if not isinstance(value, Expr):
            return value
        whole = self.values.get(value.expr.strip(), value)
        if whole is not value:
            return whole
        changed = self.text(value.expr)
        return value if changed == value.expr else as_value(changed)

    def _repeat(self, repeat: Repeat, keyed: bool) -> Repeat:
        """Its variables hide names of theirs, and give way to names that are put in."""
        over = Expr(expr=self.text(repeat.over.expr))
        inner = {name: value for name, value in self.values.items() if name not in repeat.variables}
        put = {name for value in inner.values() for name in names_of(value)}
        fresh: dict[str, str] = {}
        for variable in repeat.variables:
            if variable in put:
                fresh[variable] = unique(variable, {*put, *repeat.variables, *fresh.values()})
        inside: Mapping[str, Value] = {**inner, **{name: Expr(expr=to) for name, to in fresh.items()}}
        variables = [fresh.get(name, name) for name in repeat.variables]
        item = Substitution(inside).member(repeat.item, keyed=keyed)
        return repeat.model_copy(update={"over": over, "item": item, "variables": variables})

    def _init(self, statements: list[ParameterInit]) -> list[ParameterInit]:
        return [it.model_copy(update={"arguments": self.arguments(it.arguments)}) for it in statements]

    def _tree(self, name: str) -> ast.expr:
        return _literal(self.values[name])


class _Put(ast.NodeTransformer):
    def __init__(self, trees: Mapping[str, ast.expr]) -> None:
        self._trees = trees

    def visit_Name(self, node: ast.Name) -> ast.expr:
        tree = self._trees.get(node.id)
        return node if tree is None else deepcopy(tree)


def _literal(value: Value) -> ast.expr:
    """A value as a part of an expression."""
    match value:
        case Expr(expr=text):
            return parse(text).tree
        case list():
            return ast.List([_literal(item) for item in value], ast.Load())
        case Tuple(items=items):
            return ast.Tuple([_literal(item) for item in items], ast.Load())
        case None | bool() | int() | float() | str():
            return ast.parse(repr(value), mode="eval").body
    raise ExpressionError(f"a {type(value).__name__} cannot be part of an expression")


def as_value(text: str) -> Value:
    """``2 * 16`` as 32: a number or text where no name is left."""
    expression = parse(text)
    if not expression.names:
        try:
            found = expression.evaluate({})
        except ExpressionError:
            return Expr(expr=text)  # for the check to tell of
        if isinstance(found, bool | int | float | str):
            return found
    return Expr(expr=text)


def names_of(value: Value) -> set[str]:
    """Names that the expressions of a value read; none in one that cannot be read."""
    found: set[str] = set()
    for text in expressions(value):
        found |= _names(text)
    return found


def _names(text: str) -> set[str]:
    try:
        return set(parse(text).names)
    except ExpressionError:
        return set()


def names_in(members: list[Member], nodes: list[Node]) -> set[str]:
    """Names that members and nodes read, the variables of their own repeats left out."""
    found = {name for member in members for name in _read(member, keyed=False)}
    for node in nodes:
        found |= _names(node.when) if node.when else set()
        for _, value in argument_values(node):
            found |= names_of(value)
    return found


def _read(member: Member | Item, *, keyed: bool) -> Iterator[str]:
    if keyed and not isinstance(member, Repeat):
        yield from _names(member.name)
    if there := condition(member):
        yield from _names(there)
    match member:
        case Repeat():
            yield from _names(member.over.expr)
            yield from (name for name in _read(member.item, keyed=keyed) if name not in member.variables)
        case Layer() | BlockUse():
            yield from (name for value in member.arguments.values() for name in names_of(value))
        case Parameter() | Buffer():
            yield from (name for value in member.shape for name in names_of(value))
            if isinstance(member, Buffer):
                yield from names_of(cast(Value, member.fill))
        case _ if isinstance(member, CONTAINERS):
            inner = member.kind in DICTS
            for item in member.items:
                yield from _read(item, keyed=inner and isinstance(item, Repeat))
    if isinstance(member, Layer | Parameter):
        yield from (name for it in member.init for value in it.arguments.values() for name in names_of(value))
