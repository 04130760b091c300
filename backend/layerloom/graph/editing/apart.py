"""One copy of a repeat set apart from the others: ``range(6)`` at 2 becomes ``range(2)``, an item, ``range(3, 6)``.

What is built stays what it was, and so does every state_dict key. The expressions that a repeat runs over are cut and
not computed, so that ``range(depth)`` goes on to depend on ``depth``.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from layerloom.graph.editing.substitution import Substitution, as_value
from layerloom.graph.errors import refuse
from layerloom.graph.expressions import ExpressionError, parse
from layerloom.graph.places import Environment, environment_of, instances, passes
from layerloom.graph.walk import DICTS, block_of, copies, positional
from layerloom.schema.document import CONTAINERS, Block, Container, Document, Item, Repeat
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import Expr, Value


def set_apart(document: Document, block: str, path: str) -> Document:
    """The document with no repeat around what a path inside a block leads to, through containers and not into blocks.

    Raises GraphError where the copy is another one in some instances of the block.
    """
    its = block_of(document, block)
    first, _, rest = path.partition(".")
    around = next((it for it in its.members if it.name == first), None)
    if not isinstance(around, CONTAINERS) or not _repeated(around):
        return document
    cut = _Cut(block, path)
    try:
        changed = cut.item(around, rest, _scopes(document, block, its))
    except ExpressionError as error:
        raise refuse(ProblemCode.EXPRESSION_INVALID, str(error), block=block, member=path) from None
    members = [changed if it is around else it for it in its.members]
    blocks = {**document.blocks, block: its.model_copy(update={"members": members})}
    return document.model_copy(update={"blocks": blocks})


def _repeated(container: Container) -> bool:
    return any(isinstance(it, Repeat) or (isinstance(it, CONTAINERS) and _repeated(it)) for it in container.items)


def _scopes(document: Document, name: str, block: Block) -> list[Environment]:
    """The values of a block's arguments in each of its instances; its defaults where it has none."""
    found = [it.environment for it in instances(document).values() if it.block == name]
    return found or [environment_of(block, {}, {}, name)]


@dataclass(frozen=True)
class _Cut:
    block: str
    path: str

    def item(self, item: Any, rest: str, scopes: list[Environment]) -> Any:
        """An item with what a path inside it leads to set apart."""
        if not rest or not isinstance(item, CONTAINERS):
            return item
        name, _, below = rest.partition(".")
        keyed = item.kind in DICTS
        by_place = positional(item)
        before = [0] * len(scopes)
        for index, inner in enumerate(item.items):
            names = [_names(inner, scope, keyed) for scope in scopes]
            if by_place:
                names = [[str(start + at) for at in range(len(own))] for start, own in zip(before, names, strict=True)]
            found = {own.index(name) if name in own else None for own in names}
            if found == {None}:
                before = [start + len(own) for start, own in zip(before, names, strict=True)]
                continue
            turn = self._one(found)
            first = [
                it for each in item.items[:index] for it in (self._countable(each, scopes) if by_place else [each])
            ]
            parts = self._parts(inner, turn, name if keyed else None, below, scopes)
            items = [*first, *parts, *item.items[index + 1 :]]
            return item.model_copy(update={"items": _numbered(items) if by_place else items})
        return item

    def _one(self, found: set[Any]) -> Any:
        if len(found) == 1:
            return found.pop()
        message = f"{self.path[:64]} is another copy of its repeat in some instances of {self.block}, or is not there"
        remedy = f"Give the instance of {self.block} that is meant a class of its own first"
        raise refuse(ProblemCode.ARGUMENT_INVALID, f"{message}. {remedy}", block=self.block, member=self.path)

    def _parts(self, item: Item, turn: int, key: str | None, below: str, scopes: list[Environment]) -> list[Item]:
        """An item of a container, cut into the copies before, the one that is meant, and those behind it."""
        if not isinstance(item, Repeat):
            return [self.item(item, below, scopes)]
        turns = [passes(item, scope) for scope in scopes]
        sizes = [[_count(item.item, scope) for scope in own] for own in turns]
        at, inside = self._one({_which(own, turn) for own in sizes})
        tree = parse(item.over.expr).tree
        single = _at(item, tree, at, keyed=key is not None)
        if key is not None and not isinstance(single, Repeat):
            single = single.model_copy(update={"name": key})
        left = {len(own) - at - 1 for own in turns}
        first = self._first(item, tree, at, turns) if key is None else [_over(item, _slice(tree, 0, at))] if at else []
        return [
            *first,
            *self._parts(single, inside, key, below, [own[at] for own in turns]),
            *_rest(item, tree, at + 1, left, keyed=key is not None),
        ]

    def _first(self, repeat: Repeat, tree: ast.expr, count: int, turns: list[list[Environment]]) -> list[Item]:
        """The first passes of a repeat."""
        over = _over(repeat, _slice(tree, 0, count))
        if count > 1 and copies(over) is not None:
            return [over]
        each = [(_at(repeat, tree, at, keyed=False), [own[at] for own in turns]) for at in range(count)]
        return [it for item, scopes in each for it in self._countable(item, scopes)]

    def _countable(self, item: Item, scopes: list[Environment]) -> list[Item]:
        """The same items, so written that the text alone tells how many there are: an index behind them is clear."""
        if not isinstance(item, Repeat) or copies(item) is not None:
            return [item]
        turns = [passes(item, scope) for scope in scopes]
        return self._first(item, parse(item.over.expr).tree, self._one({len(own) for own in turns}), turns)


def _names(item: Item, scope: Environment, keyed: bool) -> list[str]:
    """What the copies of an item of a container are called; the name of a repeated item of a dict is an expression."""
    if not isinstance(item, Repeat):
        return [item.name]
    found: list[str] = []
    for inner in passes(item, scope):
        if keyed and not isinstance(item.item, Repeat):
            found.append(parse(item.item.name).evaluate(inner))
        else:
            found += _names(item.item, inner, keyed)
    return found


def _count(item: Item, scope: Environment) -> int:
    return sum(_count(item.item, inner) for inner in passes(item, scope)) if isinstance(item, Repeat) else 1


def _which(sizes: Sequence[int], turn: int) -> tuple[int, int]:
    """The pass of a repeat in which a copy is made, and the how manieth it is there."""
    for at, size in enumerate(sizes):
        if turn < size:
            return at, turn
        turn -= size
    raise AssertionError("the copy was found before")


# --- parts of a repeat


def _rest(repeat: Repeat, tree: ast.expr, start: int, left: set[int], *, keyed: bool) -> list[Item]:
    """The passes from one on, of which there are ``left``."""
    if left == {0}:
        return []
    if left == {1} and not keyed:
        return [_at(repeat, tree, start, keyed=False)]
    return [_over(repeat, _slice(tree, start, None))]


def _over(repeat: Repeat, over: ast.expr) -> Repeat:
    return repeat.model_copy(update={"over": Expr(expr=ast.unparse(over))})


def _at(repeat: Repeat, tree: ast.expr, index: int, *, keyed: bool) -> Any:
    """The item of a repeat in one pass."""
    value = _element(tree, index)
    parts = [value] if len(repeat.variables) == 1 else [_element(value, at) for at in range(len(repeat.variables))]
    values: dict[str, Value] = {
        name: as_value(ast.unparse(part)) for name, part in zip(repeat.variables, parts, strict=True)
    }
    item: Any = repeat.item
    return Substitution(values).member(item, keyed=keyed)


def _number(value: int) -> ast.expr:
    return ast.Constant(value)


def _element(tree: ast.expr, index: int) -> ast.expr:
    """One element of what an expression gives, as an expression."""
    match tree:
        case ast.IfExp(test=test, body=body, orelse=other):
            return ast.IfExp(deepcopy(test), _element(body, index), _element(other, index))
        case ast.List(elts=items) | ast.Tuple(elts=items) if index < len(items):
            return deepcopy(items[index])
        case ast.Call(func=ast.Name(id="range"), args=[_]):
            return _number(index)
        case ast.Call(func=ast.Name(id="zip"), args=several):
            return ast.Tuple([_element(it, index) for it in several], ast.Load())
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *start]):
            number = ast.BinOp(deepcopy(start[0]), ast.Add(), _number(index)) if start else _number(index)
            return ast.Tuple([number, _element(inner, index)], ast.Load())
    return ast.Subscript(deepcopy(tree), _number(index), ast.Load())


def _slice(tree: ast.expr, start: int, stop: int | None) -> ast.expr:
    """A run of elements of what an expression gives, as an expression."""
    match tree:
        case ast.IfExp(test=test, body=body, orelse=other):
            return ast.IfExp(deepcopy(test), _slice(body, start, stop), _slice(other, start, stop))
        case ast.List(elts=items):
            return ast.List(deepcopy(items[start:stop]), ast.Load())
        case ast.Tuple(elts=items):
            return ast.Tuple(deepcopy(items[start:stop]), ast.Load())
        case ast.Call(func=ast.Name(id="range"), args=[end]):
            return _call("range", [_number(stop)] if stop is not None else [_number(start), deepcopy(end)])
        case ast.Call(func=ast.Name(id="zip"), args=several):
            return _call("zip", [_slice(it, start, stop) for it in several])
        case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *first]):
            number = ast.BinOp(deepcopy(first[0]), ast.Add(), _number(start)) if first else _number(start)
            return _call("enumerate", [_slice(inner, start, stop), *([number] if start or first else [])])
    bounds = ast.Slice(_number(start) if start else None, None if stop is None else _number(stop))
    return ast.Subscript(deepcopy(tree), bounds, ast.Load())


def _call(name: str, arguments: list[ast.expr]) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), arguments, [])


def _numbered(items: list[Item]) -> list[Item]:
    """Items named by their place, as far as that is written: up to the first repeat."""
    known = next((index for index, it in enumerate(items) if isinstance(it, Repeat)), len(items))
    named = [it.model_copy(update={"name": str(index)}) for index, it in enumerate(items[:known])]
    return [*named, *items[known:]]
