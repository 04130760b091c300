"""Why a text is not read."""

from __future__ import annotations

import ast


class NotPlainError(Exception):
    """The text says what cannot be known without running it; the sentence says what and where."""

    place: ast.AST | None = None
    """The part of the text that is meant, where there is one."""
    what = ""
    """The sentence without its line."""
    line: int | None = None


class NoPythonError(NotPlainError):
    """The text is no Python at all, or more than is read: to run it would be of no use either."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(f"in line {line}: {what}" if line else what)
        self.what, self.line = what, line


def not_plain(node: ast.AST | None, what: str) -> NotPlainError:
    """The error that names the line; raise it."""
    line = getattr(node, "lineno", None)
    error = NotPlainError(f"in line {line}: {what}" if line else what)
    error.place, error.what, error.line = node, what, line
    return error


def kind_of(statement: ast.stmt) -> str:
    """What a person calls a statement."""
    names = {ast.If: "an if", ast.While: "a while", ast.With: "a with", ast.Try: "a try", ast.FunctionDef: "a function"}
    return names.get(type(statement), f"this statement ({type(statement).__name__})")
