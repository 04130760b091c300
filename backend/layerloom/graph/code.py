"""Python expressions as a tree that knows its precedence and can be laid out as ``ruff format`` lays code out.

``str(code)`` is the text on one line; ``layout(code, …)`` breaks it where it does not fit. Strings and numbers become
code only through ``literal``, which quotes them, and names only through ``name`` and ``dotted``, which check them: no
text of a document can become syntax.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import TypeAlias

WIDTH = 100
"""Columns of a line of written source."""

# Python's own precedences, loosest first.
CONDITIONAL, OR, AND, NOT, COMPARISON, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(14)
INFIX = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in", "not in", "is", "is not"), COMPARISON),
    "|": BIT_OR,
    "^": BIT_XOR,
    "&": BIT_AND,
    **dict.fromkeys(("<<", ">>"), SHIFT),
    **dict.fromkeys(("+", "-"), SUM),
    **dict.fromkeys(("*", "/", "//", "%", "@"), PRODUCT),
    "**": POWER,
}


@dataclass(frozen=True, slots=True)
class Group:
    """Laid out on one line if it fits there."""

    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Indent:
    parts: tuple[Doc, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line break, or ``flat`` where the group around it fits on one line."""

    flat: str = ""


@dataclass(frozen=True, slots=True)
class IfBroken:
    """Text that is there only where the group around it is broken: trailing commas, optional parentheses."""

    text: str


Doc: TypeAlias = "str | Group | Indent | Line | IfBroken"


@dataclass(frozen=True, slots=True)
class Code:
    """An expression."""

    parts: tuple[Doc, ...]
    precedence: int = ATOM
    simple: bool = False
    """A name, a number or a dotted name, maybe with a sign: ``**`` and ``:`` hug these."""
    bare: bool = False
    """A name or a literal, maybe with a sign: ``:`` in an index hugs only these."""

    def __str__(self) -> str:
        return "".join(_flat(self.parts))

    def at(self, precedence: int) -> tuple[Doc, ...]:
        """Its parts, in parentheses where it binds more loosely than its surroundings."""
        return self.parts if self.precedence >= precedence else (bracketed("(", self.parts, ")"),)


def _flat(parts: Iterable[Doc]) -> Iterable[str]:
    for part in parts:
        match part:
            case str():
                yield part
            case Line(flat=flat):
                yield flat
            case Group(parts=inner) | Indent(parts=inner):
                yield from _flat(inner)


def layout(parts: Sequence[Doc], indent: int = 0) -> str:
    """Lay out parts that begin at column ``indent``; continued lines are indented from there.

    The algorithm is Wadler's pretty printer, as in Black's and ruff's formatters.
    """
    column, out = indent, list[str]()
    pending: list[tuple[int, bool, Doc]] = [(indent, True, part) for part in reversed(parts)]
    while pending:
        depth, broken, part = pending.pop()
        match part:
            case str():
                out.append(part)
                column += len(part)
            case IfBroken(text=text) if broken:
                out.append(text)
                column += len(text)
            case Line() if broken:
                out.append("\n" + " " * depth)
                column = depth
            case Line(flat=flat):
                out.append(flat)
                column += len(flat)
            case Indent(parts=inner):
                pending.extend((depth + 4, broken, item) for item in reversed(inner))
            case Group(parts=inner):
                fits = not broken or _fits(WIDTH - column, inner, pending)
                pending.extend((depth, not fits, item) for item in reversed(inner))
    return "".join(out)


def _fits(room: int, inner: Sequence[Doc], rest: Sequence[tuple[int, bool, Doc]]) -> bool:
    """Whether the parts on one line, and what follows up to the next break, fit into the room."""
    ahead = [(False, part) for part in reversed(inner)]
    after = len(rest)
    own = True
    while room >= 0:
        if not ahead:
            if after == 0:
                return True
            after -= 1
            own = False
            _, broken, part = rest[after]
            ahead.append((broken, part))
        broken, part = ahead.pop()
        match part:
            case str():
                room -= len(part)
            case Line() if broken:
                return True
            case Line(flat=flat):
                room -= len(flat)
            case IfBroken(text=text) if broken:
                room -= len(text)
            case Indent(parts=parts):
                ahead.extend((broken, item) for item in reversed(parts))
            case Group(parts=parts):
                # What follows may be broken itself: of several brackets in a row the last one is.
                ahead.extend((broken and not own, item) for item in reversed(parts))
    return False


# --- building blocks


def name(text: str) -> Code:
    """A name or a dotted name. Anything else is refused, whatever was checked before."""
    if not all(part.isascii() and part.isidentifier() and not iskeyword(part) for part in text.split(".")):
        raise ValueError(f"not a Python name: {text[:80]!r}")
    return Code((text,), simple=True, bare="." not in text)


def literal(value: object) -> Code:
    """None, a bool, a number or a text."""
    if isinstance(value, str):
        return Code((quoted(value),), bare=True)
    if value is None or isinstance(value, bool):
        return Code((repr(value),), simple=True, bare=True)
    if isinstance(value, float) and math.isnan(value):
        return call(name("float"), [literal("nan")])
    if isinstance(value, float) and math.isinf(value):
        return call(name("float"), [literal("inf" if value > 0 else "-inf")])
    if isinstance(value, int | float):
        text = re.sub(r"e([+-])0?(\d)", lambda match: "e" + match[1].strip("+") + match[2], repr(value))
        return Code((text,), UNARY if text.startswith("-") else ATOM, simple=True, bare=True)
    raise TypeError(f"a {type(value).__name__} is no literal")


def quoted(text: str) -> str:
    """The text as a Python string, in double quotes unless single ones need fewer escapes."""
    body = repr("'\"" + text)[4:-1]
    if text.count('"') > text.count("'"):
        return f"'{body}'"
    return '"' + re.sub(r"\\.|\"", lambda match: {"\\'": "'", '"': '\\"'}.get(match[0], match[0]), body) + '"'


def comma_separated(items: Sequence[Code]) -> tuple[Doc, ...]:
    parts: list[Doc] = []
    for index, item in enumerate(items):
        parts.extend((Group(item.parts),) if index == 0 else (",", Line(" "), Group(item.parts)))
    return (*parts, IfBroken(","))


def bracketed(opening: str, inner: Sequence[Doc], closing: str) -> Group:
    return Group((opening, Indent((Line(), *inner)), Line(), closing))


def call(function: Code, arguments: Sequence[Code]) -> Code:
    """``function(arguments)``; the arguments come on a line of their own, or on one line each."""
    if not arguments:
        return Code((*function.at(ATOM), "()"))
    # A lone argument gets no comma after it.
    inner = arguments[0].parts if len(arguments) == 1 else (Group(comma_separated(arguments)),)
    return Code((*function.at(ATOM), bracketed("(", inner, ")")))


def keyword(key: str, value: Code) -> Code:
    return Code((f"{name(key)}=", *value.parts))


def star(value: Code) -> Code:
    return Code(("*", *value.at(BIT_OR)))


def sequence(items: Sequence[Code], brackets: str = "[]") -> Code:
    """A list, or with ``()`` a tuple, or with ``{}`` a dict of ``pair`` items."""
    if not items:
        return Code((brackets,))
    # A lone item gets no comma after it, unless that makes it a tuple.
    inner = items[0].parts if len(items) == 1 else comma_separated(items)
    comma = "," if len(items) == 1 and brackets == "()" else ""
    return Code((bracketed(brackets[0], (*inner, comma), brackets[1]),))


def pair(key: Code, value: Code) -> Code:
    return Code((*key.parts, ": ", *value.parts))


def comprehension(item: Code, clauses: Sequence[tuple[Code, Code]], brackets: str = "[]") -> Code:
    """``[item for target in iterable …]``."""
    loops: list[Doc] = []
    for index, (target, iterable) in enumerate(clauses):
        loops.extend((*([Line(" ")] if index else []), "for ", *target.parts, " in ", *iterable.at(OR)))
    inner = Group((Group(item.parts), Line(" "), Group(tuple(loops))))
    return Code((bracketed(brackets[0], [inner], brackets[1]),))


def attribute(value: Code, text: str) -> Code:
    return Code((*value.at(ATOM), f".{name(text)}"), simple=value.simple)


def index(value: Code, items: Sequence[Code]) -> Code:
    """``value[items]``; the items of a tuple are given one by one."""
    inner = comma_separated(items) if len(items) > 1 else items[0].parts
    return Code((*value.at(ATOM), bracketed("[", inner, "]")))


def span(parts: Sequence[Code | None]) -> Code:
    """``start:stop:step`` inside an index."""
    start, stop, step = parts
    hugging = all(part is None or part.bare for part in parts)
    text = "" if start is None else str(start)
    text += ":" if hugging or start is None else " :"
    if stop is not None:
        text += str(stop) if hugging else f" {stop}"
    if step is not None:
        text += (":" if hugging or stop is None else " :") + (str(step) if hugging else f" {step}")
    return Code((text,), CONDITIONAL)


def infix(left: Code, operator: str, right: Code) -> Code:
    precedence = INFIX[operator]
    if operator == "**":
        gap = "" if left.simple and right.simple and left.precedence == ATOM else " "
        return Code((*left.at(ATOM), f"{gap}**{gap}", *right.at(UNARY)), POWER)
    lower = precedence + 1 if precedence == COMPARISON else precedence
    return Code((*left.at(lower), Line(" "), f"{operator} ", *right.at(precedence + 1)), precedence)


def prefix(operator: str, operand: Code) -> Code:
    # As ruff has it: a power stands in parentheses behind a sign or a "not".
    own = NOT if operator == "not" else UNARY
    signed = str(operand)[:1] == operator  # two signs of a kind in a row read like C's decrement
    inner = operand.at(ATOM if operand.precedence == POWER or signed else own)
    if operator == "not":
        return Code(("not ", *inner), NOT)
    return Code((operator, *inner), UNARY, operand.simple, operand.bare)


def conditional(body: Code, test: Code, other: Code) -> Code:
    parts = (*body.at(OR), Line(" "), "if ", *test.at(OR), Line(" "), "else ", *other.at(CONDITIONAL))
    return Code(parts, CONDITIONAL)


def statement(before: str, value: Code, indent: int) -> str:
    """``before`` and a value, ``x = `` or ``return ``, with parentheses round an operation that is too long."""
    if value.precedence < ATOM and not value.simple:
        group = Group((IfBroken("("), Indent((Line(), *value.parts)), Line(), IfBroken(")")))
        return layout((before, group), indent)
    return layout((before, *value.parts), indent)


def tuple_statement(before: str, items: Sequence[Code], indent: int) -> str:
    """``return a, b``, in parentheses and on a line each where that is too long."""
    group = Group((IfBroken("("), Indent((Line(), *comma_separated(items))), Line(), IfBroken(")")))
    return layout((before, group), indent)


# --- expressions of documents

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.Not: "not",
    ast.And: "and",
    ast.Or: "or",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}


def write_expression(tree: ast.expr, rename: Mapping[str, str]) -> Code:
    """A parsed and judged expression as code, its names replaced by those of ``rename``."""

    def write(node: ast.expr) -> Code:
        match node:
            case ast.Constant(value=value):
                return literal(value)
            case ast.Name(id=text):
                return name(rename.get(text, text))
            case ast.List(elts=items):
                return sequence([write(item) for item in items])
            case ast.Tuple(elts=items):
                return sequence([write(item) for item in items], "()")
            case ast.UnaryOp(op=op, operand=operand):
                return prefix(_SIGNS[type(op)], write(operand))
            case ast.BinOp(left=left, op=op, right=right):
                return infix(write(left), _SIGNS[type(op)], write(right))
            case ast.BoolOp(op=op, values=values):
                return _chain([write(value) for value in values], [_SIGNS[type(op)]] * (len(values) - 1))
            case ast.Compare(left=left, ops=ops, comparators=rights):
                return _chain([write(left), *map(write, rights)], [_SIGNS[type(op)] for op in ops])
            case ast.IfExp(test=test, body=body, orelse=other):
                return conditional(write(body), write(test), write(other))
            case ast.Subscript(value=value, slice=ast.Tuple(elts=items)) if items:
                return index(write(value), [item(part) for part in items])
            case ast.Subscript(value=value, slice=part):
                return index(write(value), [item(part)])
            case ast.Call(func=ast.Name(id=text), args=arguments):
                return call(name(text), [write(argument) for argument in arguments])
        raise ValueError(f"{type(node).__name__} is no part of an expression")

    def item(node: ast.expr) -> Code:
        if isinstance(node, ast.Slice):
            return span([None if part is None else write(part) for part in (node.lower, node.upper, node.step)])
        return write(node)

    return write(tree)


def _chain(values: Sequence[Code], signs: Sequence[str]) -> Code:
    """``a < b < c``, ``a and b and c``: operators of one precedence without inner parentheses."""
    precedence = INFIX[signs[0]]
    parts: tuple[Doc, ...] = values[0].at(precedence + 1)
    for sign, value in zip(signs, values[1:], strict=True):
        parts = (*parts, Line(" "), f"{sign} ", *value.at(precedence + 1))
    return Code(parts, precedence)
