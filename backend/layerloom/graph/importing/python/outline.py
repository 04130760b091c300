"""What a Python text holds, before it is opened: its classes, what they are made with and what they are given."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from layerloom.graph.importing.python.errors import NotPlainError
from layerloom.graph.importing.python.file import kind_of, method, parsed, read
from layerloom.schema.catalogue import Kind, ParameterSpec
from layerloom.schema.importing import Outline, SourceClass

MOST = 100
"""Classes that are told of."""
_KINDS: dict[str, Kind] = {"int": "int", "float": "float", "bool": "bool", "str": "str"}


def outline(source: str, name: str = "") -> Outline:
    """The classes that may be networks, and whether the one of that name, or the last, is read as text.

    Nothing is run.
    """
    try:
        tree = parsed(source)
    except NotPlainError as error:
        return Outline(reason=error.what, line=error.line)
    classes = list(_classes(tree))[:MOST]
    chosen = next((one for one in reversed(classes) if name in ("", one.name)), None)
    if chosen is None:
        what = f"class {name} that is a module" if name else "class that is an nn.Module"
        return Outline(classes=classes, reason=f"there is no {what}")
    try:
        read(source, chosen.name, {spec.name: 1 for spec in chosen.arguments if spec.required})
    except NotPlainError as error:
        reason, line = error.what or str(error), error.line
        return Outline(classes=classes, chosen=chosen.name, reason=reason, line=line)
    return Outline(classes=classes, chosen=chosen.name, readable=True)


def _classes(tree: ast.Module) -> Iterator[SourceClass]:
    """Those that are built on another class, as modules are, and can be called."""
    own = {found.name: found for found in tree.body if isinstance(found, ast.ClassDef)}
    for name, found in own.items():
        if not found.bases or _inherited(own, found, "forward") is None:
            continue
        init, forward = _inherited(own, found, "__init__"), _inherited(own, found, "forward")
        given = [] if init is None else [_spec(*pair) for pair in _parameters(init)]
        taken = [] if forward is None else [one.arg for one, default in _parameters(forward) if default is None]
        yield SourceClass(name=name, line=found.lineno, arguments=given, inputs=taken)


def _inherited(own: dict[str, ast.ClassDef], found: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """A method that a class has, from the text itself."""
    seen: set[str] = set()
    waiting = [found]
    while waiting:
        one = waiting.pop(0)
        if one.name in seen:
            continue
        seen.add(one.name)
        if (defined := method(one, name)) is not None:
            return defined
        waiting += [own[base.id] for base in one.bases if isinstance(base, ast.Name) and base.id in own]
    return None


def _parameters(function: ast.FunctionDef) -> list[tuple[ast.arg, ast.expr | None]]:
    """Without ``self``; what takes any number of arguments is not asked for."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [*[None] * (len(positional) - len(given.defaults)), *given.defaults]
    pairs = list(zip(positional, defaults, strict=True))
    return [*pairs[1:], *zip(given.kwonlyargs, given.kw_defaults, strict=True)]


def _spec(argument: ast.arg, default: ast.expr | None) -> ParameterSpec:
    value = _literal(default)
    kind = kind_of(argument.annotation, value) or ""
    return ParameterSpec(
        name=argument.arg,
        kinds=["list" if kind.startswith("list") else _KINDS.get(kind, "any")],
        required=default is None,
        default=value,
        nullable=value is None and default is not None,
        doc="" if argument.annotation is None else ast.unparse(argument.annotation)[:200],
    )


def _literal(tree: ast.expr | None) -> Any:
    """A default that is written out; None for what would have to be computed."""
    try:
        value = None if tree is None else ast.literal_eval(tree)
    except (ValueError, TypeError, MemoryError, RecursionError):
        return None
    items = list(value) if isinstance(value, list | tuple) else [value]
    plain = all(item is None or isinstance(item, bool | int | float | str) for item in items)
    return (items if isinstance(value, list | tuple) else value) if plain else None
