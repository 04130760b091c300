"""Expressions over block arguments and repeat variables: ``2 * width``, ``zip(widths, widths[1:])``.

The text is parsed by Python's own parser and then judged node by node against a list of what is allowed; it is
evaluated by the walker below, never by ``eval``. What it may cost is bounded before it is computed: the length of the
text, its nesting, the size of numbers and the number of elements.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from layerloom.graph.code import Code, write_expression

TEXT_LIMIT = 2_000
"""Characters."""
DEPTH_LIMIT = 50
"""Nesting, of brackets and of operations."""
INTEGER_LIMIT = 2**63
"""Largest magnitude of an integer."""
ELEMENTS_LIMIT = 10_000
"""Numbers and texts in a list or range, those of lists inside it counted too."""

FUNCTIONS = frozenset({"range", "len", "min", "max", "sum", "zip", "enumerate", "abs", "int", "float", "round"})
"""What may be called; with Python's own meaning."""


class ExpressionError(ValueError):
    """A text that is no expression, or an expression that has no value here. The message says why, for the user."""


class Pairs:
    """What ``zip`` and ``enumerate`` give: something to iterate over and nothing else, as in Python."""

    def __init__(self, items: list[tuple[Any, ...]]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
_NUMBER = (int, float)
_SEQUENCE = (list, tuple, range, str)


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression."""

    text: str
    tree: ast.expr
    names: frozenset[str]
    """Block arguments and repeat variables that it reads."""

    def evaluate(self, environment: Mapping[str, Any]) -> Any:
        """Its value: a number, text, bool, None, list, tuple, range or Pairs.

        Raises ExpressionError for an unknown name, a wrong type, a division by zero or a value that is too large.
        """
        return _Evaluator(environment).value(self.tree)

    def python(self, rename: Mapping[str, str] | None = None) -> str:
        """Its text as a formatter would leave it, with names replaced (``heads`` by ``self.heads``)."""
        return str(self.code(rename or {}))

    def code(self, rename: Mapping[str, str]) -> Code:
        """The same as a piece of a larger expression."""
        return write_expression(self.tree, rename)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Read an expression. Raises ExpressionError when it is malformed, too long or not allowed."""
    check_text(text)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"this is no expression: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("this expression is nested too deeply to be read") from None
    return Expression(text, tree, frozenset(_judge(tree)))


def check_text(text: str) -> None:
    """Refuse what would be costly to parse, or would make Python's parser warn. Raises ExpressionError."""
    if len(text) > TEXT_LIMIT:
        raise ExpressionError(f"an expression has at most {TEXT_LIMIT} characters, this one has {len(text)}")
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth > DEPTH_LIMIT:
            raise ExpressionError(f"brackets are nested more than {DEPTH_LIMIT} deep")
    if not text.isprintable() or "\\" in text:
        raise ExpressionError("an expression holds printable characters only, and no backslash")
    bare = _QUOTED.sub("''", text)
    if "#" in bare:
        raise ExpressionError("an expression holds no comment")
    for number in _NUMBER_START.findall(bare):
        if not _NUMBER_TEXT.fullmatch(number):
            raise ExpressionError(f"{number[:40]!r} is no number")


_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER_START = re.compile(r"(?<![A-Za-z0-9_.])\d[\w.]*")
_NUMBER_TEXT = re.compile(r"\d[\d_]*(\.[\d_]*)?([eE][\d_]*)?|0[xX][0-9a-fA-F_]+")


def _judge(tree: ast.expr) -> Iterator[str]:
    """Refuse every construct that is not on the list; give the names that are read."""
    pending: list[tuple[ast.AST, int]] = [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > DEPTH_LIMIT:
            raise ExpressionError(f"an expression is nested at most {DEPTH_LIMIT} deep")
        inner = list(ast.iter_child_nodes(node))
        match node:
            case ast.Name(id=name):
                _check_name(name)
                yield name
            case ast.Constant(value=value):
                if value is not None and type(value) not in (bool, int, float, str):
                    raise ExpressionError(f"{ast.unparse(node)} cannot be used in an expression")
                _bounded(value)
            case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
                inner = list(node.args)
            case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
                raise ExpressionError(f"{name} cannot be called; these can: {', '.join(sorted(FUNCTIONS))}")
            case ast.UnaryOp(op=op) if type(op) in _UNARY:
                pass
            case ast.BinOp(op=op) if type(op) in _BINARY:
                pass
            case ast.Compare(ops=ops) if all(type(op) in _COMPARISONS for op in ops):
                _check_identity(node)
            case ast.BoolOp() | ast.IfExp() | ast.List() | ast.Tuple() | ast.Subscript() | ast.Slice():
                pass
            case ast.operator() | ast.unaryop() | ast.boolop() | ast.cmpop() | ast.expr_context():
                pass
            case _:
                raise ExpressionError(f"{_describe(node)} cannot be used in an expression")
        pending.extend((child, depth + 1) for child in inner)


def _check_identity(comparison: ast.Compare) -> None:
    """``is`` between numbers or texts asks after Python's memory; Python warns of it, and so does every linter."""
    operands = [comparison.left, *comparison.comparators]
    for op, left, right in zip(comparison.ops, operands, comparison.comparators, strict=False):
        literal = any(isinstance(side, ast.Constant) and side.value is not None for side in (left, right))
        if isinstance(op, ast.Is | ast.IsNot) and literal:
            raise ExpressionError("`is` can only compare with None; write == or !=")


def _check_name(name: str) -> None:
    if name in FUNCTIONS:
        raise ExpressionError(f"{name} is a function: write {name}(…)")
    if name.startswith("__"):
        raise ExpressionError(f"{name[:40]} cannot be used in an expression")


_DESCRIPTIONS: dict[type[ast.AST], str] = {
    ast.Attribute: "an attribute (a dot after a name)",
    ast.Lambda: "a lambda",
    ast.JoinedStr: "an f-string",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.Call: "this call (only plain functions, without keywords)",
    ast.UnaryOp: "the operator ~",
}


def _describe(node: ast.AST) -> str:
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return "a comprehension"
    return _DESCRIPTIONS.get(type(node), "this operator or word")


def _bounded(value: Any) -> Any:
    """The value, unless it is too large."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and abs(value) > INTEGER_LIMIT:
        raise ExpressionError("an integer here may not exceed 2**63")
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError("the result is no finite number")
    if isinstance(value, complex):
        raise ExpressionError("the result is a complex number")
    if isinstance(value, list | tuple | range | str) and _elements(value) > ELEMENTS_LIMIT:
        raise ExpressionError(f"a list or range may have at most {ELEMENTS_LIMIT} elements")
    return value


def _elements(value: Any) -> int:
    """Elements of a sequence and of those inside it; counting stops soon after the limit."""
    if isinstance(value, range | str):
        return len(value)
    if len(value) > ELEMENTS_LIMIT:
        return len(value)
    count = len(value)
    for item in value:
        if isinstance(item, list | tuple | range):
            count += _elements(item)
        if count > ELEMENTS_LIMIT:
            break
    return count


class _Evaluator:
    def __init__(self, environment: Mapping[str, Any]) -> None:
        self._environment = environment

    def value(self, node: ast.expr) -> Any:
        try:
            return _bounded(self._value(node))
        except ExpressionError:
            raise
        except ZeroDivisionError:
            raise ExpressionError("division by zero") from None
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            raise ExpressionError(str(error)) from None

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                if name not in self._environment:
                    known = ", ".join(sorted(self._environment)) or "none"
                    raise ExpressionError(f"{name} is not known here; known names: {known}")
                return self._environment[name]
            case ast.List(elts=items):
                return [self.value(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.value(item) for item in items)
            case ast.UnaryOp(op=op, operand=operand):
                value = self.value(operand)
                return _UNARY[type(op)](value if isinstance(op, ast.Not) else _number(value))
            case ast.BinOp(left=left, op=op, right=right):
                return _binary(type(op), self.value(left), self.value(right))
            case ast.BoolOp(op=op, values=values):
                return self._boolean(isinstance(op, ast.And), values)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return self._compare(self.value(left), ops, rights)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body) if self.value(test) else self.value(orelse)
            case ast.Subscript(value=container, slice=index):
                return self._item(self.value(container), index)
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return _CALLS[name](*(self.value(argument) for argument in arguments))
        raise ExpressionError(f"{_describe(node)} cannot be used here")

    def _boolean(self, conjunction: bool, values: list[ast.expr]) -> Any:
        result: Any = conjunction
        for node in values:
            result = self.value(node)
            if bool(result) is not conjunction:
                break
        return result

    def _compare(self, left: Any, ops: list[ast.cmpop], rights: list[ast.expr]) -> bool:
        for op, node in zip(ops, rights, strict=True):
            right = self.value(node)
            if not _COMPARISONS[type(op)](left, right):
                return False
            left = right
        return True

    def _item(self, container: Any, index: ast.expr) -> Any:
        if not isinstance(container, _SEQUENCE):
            raise ExpressionError(f"a {type(container).__name__} has no items")
        if isinstance(index, ast.Slice):
            parts = (None if part is None else self.value(part) for part in (index.lower, index.upper, index.step))
            return container[slice(*parts)]
        return container[self.value(index)]


def _number(value: Any) -> Any:
    if not isinstance(value, _NUMBER):
        raise ExpressionError(f"a number is needed where a {type(value).__name__} stands")
    return value


def _binary(op: type[ast.operator], left: Any, right: Any) -> Any:
    """Arithmetic on numbers; ``+`` also joins two texts, lists or tuples, ``*`` also repeats a list or tuple."""
    if op is ast.Add and type(left) is type(right) and isinstance(left, str | list | tuple):
        return left + right
    if op is ast.Mult:
        for sequence, count in ((left, right), (right, left)):
            if isinstance(sequence, list | tuple) and isinstance(count, int):
                if max(_elements(sequence), len(sequence)) * count > ELEMENTS_LIMIT:
                    raise ExpressionError(f"a list may have at most {ELEMENTS_LIMIT} elements")
                return sequence * count
    left, right = _number(left), _number(right)
    if op is ast.Pow and isinstance(left, int) and isinstance(right, int) and _too_large(left, right):
        raise ExpressionError("an integer here may not exceed 2**63")
    return _BINARY[op](left, right)


def _too_large(base: int, exponent: int) -> bool:
    """Judged by the length of the result, because computing 9**9**9 would take for ever."""
    return exponent > 0 and (abs(base).bit_length() - 1) * exponent > INTEGER_LIMIT.bit_length()


def _range(*bounds: Any) -> range:
    values = range(*(_number(bound) for bound in bounds))
    # len() itself fails beyond sys.maxsize.
    if values and (values[-1] - values[0]) // values.step >= ELEMENTS_LIMIT:
        raise ExpressionError(f"a range may have at most {ELEMENTS_LIMIT} elements")
    return values


def _zip(*iterables: Any) -> Pairs:
    return Pairs(list(zip(*(_iterable(iterable) for iterable in iterables), strict=False)))


def _enumerate(iterable: Any, start: Any = 0) -> Pairs:
    return Pairs([(start + index, item) for index, item in enumerate(_iterable(iterable))])


def _iterable(value: Any) -> Any:
    if not isinstance(value, (*_SEQUENCE, Pairs)):
        raise ExpressionError(f"a {type(value).__name__} cannot be iterated over")
    return value


def _sum(values: Any, start: Any = 0) -> Any:
    total = _number(start)
    for value in _iterable(values):
        total = _bounded(total + _number(value))
    return total


def _length(values: Any) -> int:
    if not isinstance(values, _SEQUENCE):
        raise ExpressionError(f"a {type(values).__name__} has no length")
    return len(values)


def _round(value: Any, digits: Any = None) -> Any:
    if digits is not None and not -20 <= _number(digits) <= 20:
        raise ExpressionError("round takes -20 to 20 digits")
    return round(_number(value), digits)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def extreme(*values: Any) -> Any:
        return choose(_iterable(values[0])) if len(values) == 1 else choose(*values)

    return extreme


_CALLS: dict[str, Callable[..., Any]] = {
    "range": _range,
    "len": _length,
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _sum,
    "zip": _zip,
    "enumerate": _enumerate,
    "abs": lambda value: abs(_number(value)),
    "int": lambda value: int(_number(value)),
    "float": lambda value: float(_number(value)),
    "round": _round,
}
