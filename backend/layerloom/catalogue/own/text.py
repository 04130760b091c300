"""The text of a person's own layer: its imports, and what it defines. Nothing of it is run here."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

PREFIX = "python."
"""What names of such layers begin with."""
MODULES = frozenset(
    {"torch", "math", "typing", "collections", "functools", "itertools", "dataclasses", "enum", "numbers", "operator"}
    | {"abc", "copy", "warnings", "string", "__future__"}
)
"""What a text may import, with all below it, so that the exported file runs wherever torch is installed."""
DEPTH_LIMIT = 100
"""Nesting of a syntax tree."""
_NUMBER = re.compile(r"\d{4000}")


class CodeError(Exception):
    """Why a text is not taken, in a sentence; ``line`` is where, from 1."""

    def __init__(self, message: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Imported:
    """One name that an import binds: ``from torch import nn`` is ``Imported("nn", "torch", "nn")``."""

    name: str
    module: str
    item: str | None = None
    """None where the module itself is bound; of ``import a.b``, ``a`` is, and ``a.b`` is loaded."""

    @property
    def path(self) -> str:
        """What the name stands for: ``torch.nn``."""
        if self.item is not None:
            return f"{self.module}.{self.item}"
        return self.module if self.name != self.module.partition(".")[0] else self.name

    @property
    def statement(self) -> str:
        """As a line of its own."""
        if self.item is not None:
            return f"from {self.module} import {self.item}{'' if self.name == self.item else f' as {self.name}'}"
        plain = self.name == self.module.partition(".")[0]
        return f"import {self.module}{'' if plain else f' as {self.name}'}"


@dataclass(frozen=True, slots=True)
class Text:
    """A text that was read."""

    source: str
    imports: tuple[Imported, ...]
    body: str
    """The text without its imports."""
    names: frozenset[str]
    """What it defines at its outermost level."""


@lru_cache(maxsize=64)
def read(name: str, source: str) -> Text:
    """A text that defines the class ``name``: imports, classes, functions and constants, and nothing else.

    What a class does when it is made cannot be told from its text; what keeps it from doing harm is the process that
    it runs in. The rules here keep exported files in order: they import what every installation of torch has.

    Raises:
        CodeError: with the line.
    """
    tree = _parsed(source)
    imports: list[Imported] = []
    names: set[str] = set()
    dropped: set[int] = set()
    starts = [statement.lineno for statement in tree.body]
    for statement in tree.body:
        match statement:
            case ast.Import() | ast.ImportFrom():
                imports.extend(_imported(statement))
                lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
                if sum(start in lines for start in starts) > 1 or any(ends in lines for ends in _ends(tree, statement)):
                    raise CodeError("an import stands in a line of its own", statement.lineno)
                dropped.update(lines)
            case ast.ClassDef(name=defined) | ast.FunctionDef(name=defined):
                names.add(defined)
            case ast.Assign(targets=[ast.Name(id=defined)]) | ast.AnnAssign(target=ast.Name(id=defined)):
                names.add(defined)
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case _:
                message = "the text of a layer has imports, classes, functions and constants, and nothing else"
                raise CodeError(message, statement.lineno)
    if not any(isinstance(item, ast.ClassDef) and item.name == name for item in tree.body):
        raise CodeError(f"there is no class {name[:80]}")
    kept = [line for number, line in enumerate(source.splitlines(), 1) if number not in dropped]
    return Text(source, tuple(imports), "\n".join(kept).strip("\n"), frozenset(names))


def docstring(name: str, source: str) -> str:
    """What the class ``name`` of a text says of itself; empty where it says nothing, or the text cannot be read."""
    try:
        body = _parsed(source).body
    except CodeError:
        return ""
    found = (item for item in body if isinstance(item, ast.ClassDef) and item.name == name)
    return next((ast.get_docstring(item) or "" for item in found), "")


def _ends(tree: ast.Module, but: ast.stmt) -> list[int]:
    return [statement.end_lineno or 0 for statement in tree.body if statement is not but]


def _parsed(source: str) -> ast.Module:
    if any(mark in source for mark in "\0\f\r\v\x1c\x1d\x1e\x85\u2028\u2029"):
        raise CodeError("lines end with a line feed, and there are no other control characters")
    if _NUMBER.search(source):
        raise CodeError("a number is too long")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise CodeError(f"this is no Python: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError):
        raise CodeError("this is no Python that can be read") from None
    level: list[ast.AST] = [tree]
    for _ in range(DEPTH_LIMIT):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise CodeError(f"code is nested at most {DEPTH_LIMIT} deep", getattr(level[0], "lineno", None))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            _check_import(node)
    return tree


def _check_import(statement: ast.Import | ast.ImportFrom) -> None:
    relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
    modules = [statement.module or ""] if isinstance(statement, ast.ImportFrom) else [a.name for a in statement.names]
    for module in modules:
        if relative or module.partition(".")[0] not in MODULES:
            message = f"{'a relative module' if relative else module[:80]} cannot be imported; these can be: "
            raise CodeError(message + ", ".join(sorted(MODULES - {"__future__"})), statement.lineno)
    if any(alias.name == "*" for alias in statement.names):
        raise CodeError("an import names what it takes, not *", statement.lineno)


def _imported(statement: ast.Import | ast.ImportFrom) -> list[Imported]:
    if isinstance(statement, ast.ImportFrom):
        module = statement.module or ""
        return [Imported(alias.asname or alias.name, module, alias.name) for alias in statement.names]
    return [Imported(alias.asname or alias.name.partition(".")[0], alias.name) for alias in statement.names]
