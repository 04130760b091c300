"""What the names of a file mean: its imports, and the expressions of constructor arguments."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from layerloom.catalogue import dtype, find, layers, operations
from layerloom.graph.expressions import FUNCTIONS, ExpressionError, parse
from layerloom.graph.importing.python.errors import not_plain
from layerloom.schema import values
from layerloom.schema.catalogue import ParameterSpec
from layerloom.schema.values import (
    Arguments,
    DType,
    Ellipsis,
    Expr,
    FunctionRef,
    LayerCall,
    LayerValue,
    NonFinite,
    Slice,
    Tuple,
    Value,
)

EFFORT = 200_000
"""Parts of a syntax tree that names and loops of one file may be written out to."""

Evaluate = Callable[[ast.expr], Value]


@dataclass
class Imports:
    """Dotted names behind the names of a file."""

    known: dict[str, str] = field(default_factory=dict)
    left: int = EFFORT
    """How much more may be read of this file."""

    def spend(self, effort: int, node: ast.AST) -> None:
        """Count what a text costs beyond its own length. Raises NotPlainError where it is too much."""
        self.left -= effort
        if self.left < 0:
            raise not_plain(node, "written out, this text says more than is read at once")

    def take(self, statement: ast.Import | ast.ImportFrom) -> None:
        """An import statement. What is imported is looked up when it is used, in the catalogue and nowhere else."""
        for alias in statement.names:
            if isinstance(statement, ast.ImportFrom):
                self.known[alias.asname or alias.name] = f"{'.' * statement.level}{statement.module or ''}.{alias.name}"
            elif alias.asname:
                self.known[alias.asname] = alias.name
            else:
                self.known[alias.name.partition(".")[0]] = alias.name.partition(".")[0]

    def dotted(self, node: ast.expr) -> str | None:
        """``torch.nn.functional.relu`` for ``F.relu``; None for what is no name of an import."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.known:
            return None
        return ".".join([self.known[node.id], *reversed(parts)])


def is_layer(name: str | None) -> bool:
    """Whether a dotted name is a layer of the catalogue."""
    return name is not None and name in layers()


@dataclass
class Names:
    """The names that expressions may use in one place, and what stands behind them."""

    imports: Imports
    arguments: set[str] = field(default_factory=set)
    """Block arguments and variables of repeats."""
    constants: dict[str, ast.expr] = field(default_factory=dict)
    """Local names and attributes (``self.width``) that stand for expressions over arguments."""
    present: dict[str, ast.expr] = field(default_factory=dict)
    """Attributes (``self.short``) that hold a module where an expression over arguments is true, and None elsewhere."""

    def inside(self, variables: Iterable[str]) -> Names:
        """The same, with variables of a repeat."""
        given = set(variables)
        constants = {name: tree for name, tree in self.constants.items() if name not in given}
        return Names(self.imports, self.arguments | given, constants, self.present)

    def pure(self, node: ast.expr) -> bool:
        """Whether an expression is made of arguments and literals only."""
        try:
            self.expression(node)
        except (ExpressionError, ValueError):
            return False
        return True

    def expression(self, node: ast.expr) -> Expr:
        """The expression with its local names replaced. Raises ExpressionError."""
        tree = _Substitute(self.constants, self.present, self.imports).visit(copy.deepcopy(node))
        text = ast.unparse(ast.fix_missing_locations(tree))
        unknown = parse(text).names - self.arguments
        if unknown:
            raise ExpressionError(f"{min(unknown)} is not known without running the code")
        return Expr(expr=text)

    def value(self, node: ast.expr) -> Value:
        """An argument of a constructor. Raises NotPlainError."""
        plain = literal(node, self.value, self.imports)
        if plain is not NOTHING:
            return plain  # type: ignore[no-any-return]
        name = self.imports.dotted(node.func) if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Call) and is_layer(name):
            entry = find(name or "")
            assert entry is not None
            bound = bind(entry.parameters, node, self.value)
            return LayerValue(layer=LayerCall(target=entry.name, arguments=bound))
        try:
            return self.expression(node)
        except (ExpressionError, ValueError) as error:
            raise not_plain(node, f"{error}") from None


class _Substitute(ast.NodeTransformer):
    def __init__(self, constants: Mapping[str, ast.expr], present: Mapping[str, ast.expr], imports: Imports) -> None:
        self._constants, self._present, self._imports = constants, present, imports

    def _copy(self, name: str, node: ast.expr) -> ast.expr:
        return self._copied(self._constants[name], node)

    def _copied(self, tree: ast.expr, node: ast.expr) -> ast.expr:
        self._imports.spend(sum(1 for _ in ast.walk(tree)), node)
        return copy.deepcopy(tree)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """``self.short is not None`` asks whether a member is there."""
        match node:
            case ast.Compare(
                left=ast.Attribute(value=ast.Name(id="self"), attr=name),
                ops=[ast.Is() | ast.IsNot() as how],
                comparators=[ast.Constant(value=None)],
            ) if f"self.{name}" in self._present:
                there = self._copied(self._present[f"self.{name}"], node)
                return there if isinstance(how, ast.IsNot) else ast.UnaryOp(op=ast.Not(), operand=there)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._copy(node.id, node) if node.id in self._constants and node.id not in FUNCTIONS else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "self" and f"self.{node.attr}" in self._constants:
            return self._copy(f"self.{node.attr}", node)
        return self.generic_visit(node)


UNROLLED = 256
"""Rounds of a loop that are written out."""
NOTHING: Any = object()


def literal(node: ast.expr, evaluate: Evaluate, imports: Imports) -> Any:
    """The value of what is written out: numbers, texts, lists, tuples, dtypes, functions; ``NOTHING`` otherwise."""
    match node:
        case ast.Constant(value=value) if value is ...:
            return Ellipsis()
        case ast.Constant(value=None | bool() | int() | float() | str() as value):
            return _finite(value)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return _finite(-value)
        case ast.Tuple(elts=items):
            return Tuple(items=[evaluate(item) for item in items])
        case ast.List(elts=items):
            return [evaluate(item) for item in items]
        case ast.Dict(keys=keys, values=items) if all(_is_text(key) for key in keys):
            pairs = zip(keys, items, strict=True)
            return values.Mapping(items={key.value: evaluate(item) for key, item in pairs})  # type: ignore[union-attr]
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=("inf" | "-inf" | "nan") as text)]):
            return NonFinite(text=text)
        case ast.Call(func=ast.Name(id="slice"), args=parts, keywords=[]) if 1 <= len(parts) <= 3:
            return as_slice([evaluate(part) for part in parts])
        case ast.Attribute() | ast.Name():
            return _named(imports.dotted(node))
    return NOTHING


def _finite(value: Any) -> Any:
    """A number as documents have it: ``1e999`` is infinite."""
    return NonFinite(text="inf" if value > 0 else "-inf") if value in (math.inf, -math.inf) else value


def _is_text(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and isinstance(key.value, str)


def as_slice(parts: Sequence[Value]) -> Slice:
    """``slice(stop)`` or ``slice(start, stop[, step])``."""
    if len(parts) == 1:
        return Slice(parts=[None, parts[0], None])
    return Slice(parts=[*parts, *[None] * (3 - len(parts))])


def _named(name: str | None) -> Any:
    if name is None:
        return NOTHING
    if name in ("math.inf", "torch.inf"):
        return NonFinite(text="inf")
    short = name.removeprefix("torch.")
    try:
        dtype(short)
    except KeyError:
        return FunctionRef(name=name) if name in operations() else NOTHING
    return DType(dtype=short)


def bind(specs: Sequence[ParameterSpec], call: ast.Call, evaluate: Evaluate, skip: int = 0) -> Arguments:
    """Arguments of a call by the names of the parameters; the first ``skip`` of them are given otherwise.

    Evaluated in the order of the text. Raises NotPlainError for what the parameters do not take.
    """
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        raise not_plain(call, "how many arguments a star gives is not known without running the code")
    specs = specs[skip:]
    required = [spec for spec in specs if spec.required]
    named = {keyword.arg for keyword in call.keywords}
    whole = len(call.args) == len(required) and not any(spec.name in named for spec in required)
    positional = required if whole else specs  # torch.arange(end, dtype=…)
    bound: Arguments = {}
    for index, argument in enumerate(call.args):
        if index >= len(positional):
            raise not_plain(call, f"{ast.unparse(call.func)} takes fewer arguments than it is given")
        spec = positional[index]
        if spec.variadic and not (len(call.args) == index + 1 and isinstance(argument, ast.Tuple | ast.List)):
            bound[spec.name] = [evaluate(item) for item in call.args[index:]]
            break
        bound[spec.name] = evaluate(argument)
    names = {spec.name for spec in specs}
    for keyword in call.keywords:
        if keyword.arg is None or keyword.arg not in names or keyword.arg in bound:
            raise not_plain(call, f"{ast.unparse(call.func)} is not known to take {keyword.arg or 'a mapping'} here")
        bound[keyword.arg] = evaluate(keyword.value)
    return bound


def self_path(node: ast.expr) -> str | None:
    """``stages.0.conv`` for ``self.stages[0].conv``; None for what is no such path."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=inner, attr=name) if (before := self_path(inner)) is not None:
            return f"{before}.{name}"
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() | str() as key)):
            before = self_path(inner)
            return None if before is None else f"{before}.{key}"
        case ast.Call(func=ast.Name(id="getattr"), args=[inner, ast.Constant(value=str() as name)], keywords=[]):
            before = "" if isinstance(inner, ast.Name) and inner.id == "self" else self_path(inner)
            return None if before is None else f"{before}.{name}".lstrip(".")
    return None
